"""The lab's use of Docker, through the command ``docker``."""

from pathlib import Path

import ovsnp
from ovsnp.errors import SwitchError
from ovsnp.lab.runtime.children import output

IMAGE = "ovsnp-lab"
LAB_LABEL = "containerlab"
"""The label that containerlab gives to containers, with the lab's name as the value, and to networks."""

NODE_LABEL = "clab-node-name"
"""The label that containerlab gives to a container, with the name in the topology as the value."""

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
    """Provide the lab's image; raises SwitchError where that is not possible.

    A checkout builds the image with its ovsnp, which takes a second when nothing changed: Docker keeps what it has
    built. An installed ovsnp takes the image that exists.
    """
    if (CHECKOUT / DOCKERFILE).exists():
        output(["docker", "build", "--tag", IMAGE, "--file", str(CHECKOUT / DOCKERFILE), str(CHECKOUT)], BUILD)
        return
    try:
        output(["docker", "image", "inspect", IMAGE], IMAGE)
    except SwitchError:
        raise SwitchError(f"there is no image {IMAGE}; build it in a checkout of ovsnp: {BUILD}") from None


def containers(lab: str) -> dict[str, str]:
    """The names of the containers of a lab, running or not, by the name in the topology."""
    columns = f'{{{{.Label "{NODE_LABEL}"}}}} {{{{.Names}}}}'
    listed = output(["docker", "ps", "--all", "--filter", f"label={LAB_LABEL}={lab}", "--format", columns], "docker ps")
    return dict(line.split(" ", 1) for line in listed.splitlines())


def unhealthy(lab: str) -> list[str]:
    """The containers of a lab that Docker calls unhealthy: the last retry of the health check failed."""
    filters = ["--filter", f"label={LAB_LABEL}={lab}", "--filter", "health=unhealthy"]
    return output(["docker", "ps", *filters, "--format", "{{.Names}}"], "docker ps").split()


def networks() -> set[str]:
    """The networks that containerlab made, for any lab."""
    filters = ["--filter", f"label={LAB_LABEL}"]
    return set(output(["docker", "network", "ls", *filters, "--format", "{{.Name}}"], "docker network ls").split())


def in_use() -> bool:
    """True if any lab of containerlab has a container."""
    return bool(output(["docker", "ps", "--all", "--quiet", "--filter", f"label={LAB_LABEL}"], "docker ps"))
