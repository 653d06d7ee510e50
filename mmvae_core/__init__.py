"""Multi-modal variational auto-encoders: models, objectives, training and evaluation.

The package stands alone: it needs neither the app nor Streamlit. Start at `mmvae_core.build`
(configuration to objects), `mmvae_core.store` (runs and studies) and `mmvae_core.model`.
"""

__version__ = "0.1.0"
