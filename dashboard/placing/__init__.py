"""What a study file lacks, tried before it is written: mappings of tables, run and step of logs, metrics."""
