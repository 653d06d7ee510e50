"""`python -m mmvae_core`."""

from mmvae_core.cli import main

main()
