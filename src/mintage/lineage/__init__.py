"""Walk the graph of records from what is served back to the commit, and verify every link."""
