"""What a change does: to the flows of a bridge (`ovsnp.diff.flows`), and to who reaches whom (`ovsnp.diff.effect`)."""
