"""What lies on disk: runs, studies, reports. Read and written here alone."""
