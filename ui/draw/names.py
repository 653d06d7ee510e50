"""What runs, aggregators and objectives are called on pages. Pure."""

SHORT = {"poe": "PoE", "moe": "MoE", "mopoe": "MoPoE"}
OBJECTIVES = {
    "marginal": "marginal bound",
    "masked": "masked bound",
    "mixture": "mixture bound",
    "multivae": "MultiVae's bound",
    "total_correlation": "total correlation bound",
}


def aggregator_name(aggregator: str) -> str:
    """An aggregator's name, as it begins a title."""
    words = aggregator.replace("_", " ")
    return SHORT.get(aggregator, words[:1].upper() + words[1:])


def run_title(folder: str, aggregator: str, objective: str) -> str:
    """A run's title, `Sum pooling, masked bound`; what else its folder's name says, in brackets."""
    if aggregator == "embeddings":
        return f"Embeddings {folder}"
    bound = OBJECTIVES.get(objective, f"{objective.replace('_', ' ')} bound")
    rest = folder
    if folder.startswith(aggregator):
        rest = folder.removeprefix(aggregator).replace(f"-{objective}", "", 1)
    rest = " ".join(rest.replace("_", " ").replace("-", " ").split())
    return f"{aggregator_name(aggregator)}, {bound}" + (f" ({rest})" if rest else "")
