"""What the lab asks of Docker, by its command."""

from pathlib import Path

import ovsnp
from ovsnp.errors import SwitchError
from ovsnp.lab.runtime.children import output

IMAGE = "ovsnp-lab"
LAB_LABEL = "containerlab"
"""containerlab's label of containers, with the lab's name, and of its networks."""

NODE_LABEL = "clab-node-name"
"""containerlab's label of a container with its name in the topology."""

CHECKOUT = Path(ovsnp.__file__).parents[1]
DOCKERFILE = Path("containerlab", "Dockerfile")
BUILD = f"docker build -t {IMAGE} -f {DOCKERFILE} ."


def check_daemon() -> None:
    """Raise SwitchError where Docker's daemon does not answer."""
    try:
        output(["docker", "version", "--format", "{{.Server.Version}}"], "docker version")
    except SwitchError as error:
        raise SwitchError(
            f"Docker's daemon does not answer; start it (systemctl start docker), or sudo: {error}"
        ) from None


def have_image() -> None:
    """Have the lab's image hold the ovsnp that runs here; raises SwitchError where it cannot.

    In a checkout it is built, which takes a second when nothing changed: Docker keeps what it has built. An installed
    ovsnp takes the image that is there.
    """
    if (CHECKOUT / DOCKERFILE).exists():
        output(["docker", "build", "--tag", IMAGE, "--file", str(CHECKOUT / DOCKERFILE), str(CHECKOUT)], BUILD)
        return
    try:
        output(["docker", "image", "inspect", IMAGE], IMAGE)
    except SwitchError:
        raise SwitchError(f"there is no image {IMAGE}; build it in a checkout of ovsnp: {BUILD}") from None


def containers(lab: str) -> dict[str, str]:
    """The containers of a lab, running or not: each one's name, by its name in the topology."""
    columns = f'{{{{.Label "{NODE_LABEL}"}}}} {{{{.Names}}}}'
    listed = output(["docker", "ps", "--all", "--filter", f"label={LAB_LABEL}={lab}", "--format", columns], "docker ps")
    return dict(line.split(" ", 1) for line in listed.splitlines())


def unhealthy(lab: str) -> list[str]:
    """The containers of a lab whose health check has failed for good."""
    filters = ["--filter", f"label={LAB_LABEL}={lab}", "--filter", "health=unhealthy"]
    return output(["docker", "ps", *filters, "--format", "{{.Names}}"], "docker ps").split()


def networks() -> set[str]:
    """The networks that containerlab made, for whichever lab."""
    filters = ["--filter", f"label={LAB_LABEL}"]
    return set(output(["docker", "network", "ls", *filters, "--format", "{{.Name}}"], "docker network ls").split())


def in_use() -> bool:
    """Whether any lab of containerlab has a container."""
    return bool(output(["docker", "ps", "--all", "--quiet", "--filter", f"label={LAB_LABEL}"], "docker ps"))
