"""What things cost: ranking beside an engine, scoring a prompt, a step of an engine."""
