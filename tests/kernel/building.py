"""The virtual machine's kernel and disk, from Debian's packages; kept outside the checkout for the next time."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.kernel.recipe import HERE, KERNEL, PACKAGES, Recipe
from tests.support.cache import CACHE, kept

MACHINES = CACHE / "kernel-vm"
VENV = "/opt/venv"
"""Where the guest has the project's libraries."""

PROJECT = "/root/ovsnp"
"""Where the guest's Python looks for the checkout, which is not there yet."""

PROGRAMS = {"debootstrap": "debootstrap", "mkfs.ext4": "e2fsprogs", "ssh-keygen": "openssh-client"}
SIZE = "6G"

ALONE = ("unshare", "--mount")
"""What a command mounts is gone with it, whatever ends it: nothing of this machine is below a root that is removed."""

_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
_SETTINGS = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "PIP_CERT": _BUNDLE,
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_ROOT_USER_ACTION": "ignore",
}


class BuildError(Exception):
    """The virtual machine cannot be built here; what it says is why."""


class Image:
    """A directory with all that a boot needs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.kernel = directory / "vmlinuz"
        self.initrd = directory / "initrd"
        self.disk = directory / "disk.img"
        self.key = directory / "key"
        self.known_hosts = directory / "known_hosts"


HOST_ALIAS = "ovsnp-guest"
"""What the guest's host key is known by, whatever its port."""


def image(recipe: Recipe) -> Image:
    """What comes of a recipe, from the cache or built now; raises BuildError."""
    return Image(kept(MACHINES / recipe.key, lambda draft: _fill(draft, recipe)))


def _check_machine() -> None:
    if os.geteuid() != 0:
        raise BuildError("building the virtual machine needs root; run it with sudo")
    if missing := sorted({package for program, package in PROGRAMS.items() if not shutil.which(program)}):
        raise BuildError(f"not installed; on Debian: apt-get install {' '.join(missing)}")


def _fill(directory: Path, recipe: Recipe) -> None:
    _check_machine()
    made, root = Image(directory), directory / "root"
    mirror = _mirror()
    _tell(f"Debian {recipe.suite}, from {mirror}")
    options = ["--variant=minbase", f"--include={','.join(PACKAGES)}"]
    _run([*ALONE, "debootstrap", *options, recipe.suite, str(root), mirror])
    _tell(f"the kernel of {recipe.kernel_suite}")
    _install_kernel(root, recipe, mirror)
    _tell("the project's libraries")
    _install_libraries(root, recipe)
    _let_in(root, made)
    shutil.copy(HERE / "init", root / "sbin/vm-init")
    (root / "sbin/vm-init").chmod(0o755)
    shutil.copy(_target(root, "vmlinuz"), made.kernel)
    shutil.copy(_target(root, "initrd.img"), made.initrd)
    _run(["truncate", "-s", SIZE, str(made.disk)])
    _run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-d", str(root), str(made.disk)])
    shutil.rmtree(root)


def _target(root: Path, link: str) -> Path:
    """What a symbolic link in the root means there."""
    return root / os.readlink(root / link).removeprefix("/")


def _mirror() -> str:
    """The mirror that this machine's own apt takes Debian from."""
    asked = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"]
    mirrors = _run(asked).split() if shutil.which("apt-get") else []
    if not mirrors:
        raise BuildError("apt names no mirror of Debian; run apt-get update on a Debian with network")
    return mirrors[0]


def _install_kernel(root: Path, recipe: Recipe, mirror: str) -> None:
    (root / "etc/apt/sources.list.d/kernel.list").write_text(f"deb {mirror} {recipe.kernel_suite} main\n")
    # The initrd must have the disk's driver, not that of the disk of the machine that it is made on.
    conf = root / "etc/initramfs-tools/conf.d/modules"
    conf.parent.mkdir(parents=True)
    conf.write_text("MODULES=most\nCOMPRESS=gzip\n")
    _inside(root, ["apt-get", "update", "-qq"])
    _inside(root, ["apt-get", "install", "-qq", "--no-install-recommends", f"{KERNEL}/{recipe.kernel_suite}"])
    _inside(root, ["apt-get", "clean"])


def _install_libraries(root: Path, recipe: Recipe) -> None:
    # This machine may trust an authority that Debian does not know, such as a proxy's.
    own = root / _BUNDLE.removeprefix("/")
    kept = own.read_bytes()
    own.write_bytes(Path(os.environ.get("SSL_CERT_FILE") or _BUNDLE).read_bytes())
    _inside(root, ["python3", "-m", "venv", VENV])
    for lock in recipe.locks:
        (root / "root/lock").write_text(lock)
        options = ["--quiet", "--require-hashes", "--no-build-isolation", "-r", "/root/lock"]
        _inside(root, [f"{VENV}/bin/pip", "install", *options])
    own.write_bytes(kept)
    (packages,) = (root / VENV.removeprefix("/")).glob("lib/python*/site-packages")
    (packages / "checkout.pth").write_text(f"{PROJECT}\n")


def _let_in(root: Path, made: Image) -> None:
    """A key for root, and the guest's own key so that nobody else can pose as the guest."""
    _run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(made.key)])
    ssh = root / "root/.ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(made.key.with_suffix(".pub"), ssh / "authorized_keys")
    kind, key, *_ = (root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()
    made.known_hosts.write_text(f"{HOST_ALIAS} {kind} {key}\n")


def _inside(root: Path, command: Sequence[str]) -> None:
    """Run a command in the root."""
    mounting = 'mount -t proc proc "$0/proc" && mount -t tmpfs tmpfs "$0/tmp" && exec chroot "$0" "$@"'
    _run([*ALONE, "sh", "-c", mounting, str(root), *command], {**os.environ, **_SETTINGS})


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise BuildError(f"{' '.join(command)}: status {done.returncode}\n{said}")
    return done.stdout


def _tell(line: str) -> None:
    print(f"building the virtual machine: {line}", flush=True)  # noqa: T201
