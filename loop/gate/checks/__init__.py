"""What is looked at: artefact, order, tenants, memory, and what it would bring."""
