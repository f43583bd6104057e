"""What people run around asv; a package, so that asv finds its plugin here and nowhere else."""
