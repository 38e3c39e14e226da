"""Help: how to read a page, its keys, what the words mean, and a tour for the first visit."""
