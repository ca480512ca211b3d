"""The declaration of the pipeline: tables, registers, conntrack zones, priorities and cookies of the bridge."""
