"""moto's server on loopback, answering as AWS does where moto does not.

Arguments: the port (0 takes a free one), and the images as JSON: [{"id", "architecture", "parameter"?}]. A parameter of an image
is a public parameter of Systems Manager whose value is the image's id, in every region.

Prints one line of JSON when it listens: {"port": N}. Ends when its standard input is closed.

POST /lab/parameters with {"name", "value"} sets a public parameter, in every region: a newer release of an image. moto's own API
refuses to set them, as AWS's does.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any, Callable, Iterable

# Read by moto when it is imported. An image, a key or a type of instance that does not exist is an error, as with AWS.
os.environ["MOTO_ENABLE_AMI_VALIDATION"] = "true"
os.environ["MOTO_ENABLE_KEYPAIR_VALIDATION"] = "true"
os.environ["MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION"] = "true"

from moto.core.utils import utcnow  # noqa: E402
from moto.ec2.models.amis import Ami, AmiBackend  # noqa: E402
from moto.moto_server.werkzeug_app import (  # noqa: E402
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.ssm.models import Parameter, ParameterDict  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

import corrections  # noqa: E402

# Public parameters by name.
PARAMETERS: dict[str, str] = {}


def keep_images(images: list[dict[str, str]]) -> None:
    """Has every region offer these images, and no other."""

    def load(backend: AmiBackend) -> None:
        for image in images:
            backend.amis[image["id"]] = Ami(
                backend,
                image["id"],
                name=image["id"],
                architecture=image["architecture"],
                owner_alias="amazon",
                public=True,
                root_device_name="/dev/sda1",
                root_device_type="ebs",
                virtualization_type="hvm",
            )

    AmiBackend._load_amis = load  # type: ignore[method-assign]
    PARAMETERS.update({image["parameter"]: image["id"] for image in images if "parameter" in image})


def keep_parameters() -> None:
    """Has every region's store answer the public parameters."""
    known = ParameterDict._check_loading_status

    def check(store: ParameterDict, key: str) -> None:
        known(store, key)
        if key not in PARAMETERS:
            return
        versions = store.setdefault(key, [])
        if versions and versions[-1].value == PARAMETERS[key]:
            return
        versions.append(
            Parameter(
                account_id=store.account_id,
                name=key,
                value=PARAMETERS[key],
                parameter_type="String",
                description=None,
                allowed_pattern=None,
                keyid=None,
                last_modified_date=utcnow(),
                version=len(versions) + 1,
                data_type="aws:ec2:image",
            )
        )

    ParameterDict._check_loading_status = check  # type: ignore[method-assign]


class Requests:
    """Handles one request after another: moto's state is not made for several threads."""

    def __init__(self) -> None:
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.lock = threading.Lock()

    def set_parameter(self, environ: dict[str, Any]) -> None:
        body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        PARAMETERS[body["name"]] = body["value"]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self.lock:
            if environ["PATH_INFO"] == "/lab/parameters":
                self.set_parameter(environ)
                start_response("204 No Content", [])
                return []
            return self.moto(environ, start_response)


class QuietHandler(MotoRequestHandler):
    """Logs failures only."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if str(code).startswith("5"):
            super().log_request(code, size)


def end_with_standard_input() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    port, images = int(sys.argv[1]), json.loads(sys.argv[2])
    corrections.apply()
    keep_images(images)
    keep_parameters()
    server = make_server("127.0.0.1", port, Requests(), threaded=True, request_handler=QuietHandler)
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    print(json.dumps({"port": server.port}), flush=True)
    server.serve_forever()


main()
