"""Metrics as a Prometheus server reads them."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families


def samples(text: bytes) -> Mapping[str, float]:
    """The value of each sample, by its name and labels: ``name{label="value"}``."""
    return {
        _key(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def names(text: bytes) -> set[str]:
    """The names of all samples."""
    return {key.partition("{")[0] for key in samples(text)}


def _key(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inside}}}" if inside else name
