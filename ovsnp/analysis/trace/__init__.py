"""A connection's first packet on its way over real bridges, table by table, held against what the policies say."""
