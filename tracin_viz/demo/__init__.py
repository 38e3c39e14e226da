"""Demo audits: real data from packages, really trained, in the files a user would have."""
