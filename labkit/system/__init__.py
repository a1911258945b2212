"""The floor under everything that touches the machine: processes, files, locks, records on disk."""
