"""The few own components: JavaScript beside the Python that mounts it."""
