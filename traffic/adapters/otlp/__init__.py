"""OpenTelemetry's spans of generative AI, as OTLP JSON."""
