"""Known models as points in the family: tables that a configuration may start from.

`preset = "mopoe"` in a TOML file puts these tables below the file's own keys and above those of
its `extends`. What is written to a run's config.json is the result.
"""

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    # Wu and Goodman 2018, arXiv 1802.05335: product of experts, evidence bounds of subsets. There
    # the full set, each single modality and some random sets make one sum; here each sample draws
    # one random set.
    "mvae": {
        "aggregator": {"name": "poe"},
        "objective": {"name": "marginal", "subsets": "independent"},
    },
    # Shi et al. 2019, arXiv 1911.03393: mixture of experts, all modalities from one at a time.
    # There the rate's density is the whole mixture's and each expert is visited in every step;
    # here both are of one expert, as in Daunhawer et al. 2022, arXiv 2110.04121 (a looser bound).
    "mmvae": {
        "aggregator": {"name": "moe"},
        "objective": {"name": "mixture", "subsets": "singletons"},
    },
    # Sutter et al. 2021, arXiv 2105.02470: the mixture over all subsets' products is one posterior.
    "mopoe": {
        "aggregator": {"name": "mopoe"},
        "objective": {"name": "mixture", "subsets": "full"},
    },
    # Hwang et al. 2021 (NeurIPS): product of experts, total correlation.
    "mvtcae": {
        "aggregator": {"name": "poe"},
        "objective": {"name": "total_correlation", "subsets": "independent"},
    },
    # Hirt et al. 2024, arXiv 2309.00380: learned aggregation, masked objective. The paper's other
    # aggregator is aggregator.name = "self_attention".
    "hirt2024": {
        "aggregator": {"name": "sum_pooling"},
        "objective": {"name": "masked", "subsets": "independent"},
    },
}
