"""What a change does: to the flows of a bridge (`flows`), and to who reaches whom (`effect`, `bridge`)."""
