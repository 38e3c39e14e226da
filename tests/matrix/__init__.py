"""Every form of data with every form of model that fits: create, compute, influence."""
