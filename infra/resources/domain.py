"""A domain of the stage's own. Chalice creates it in API Gateway and maps it to the API; DNS is the owner's part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_apigateway import APIGatewayClient

NO_PATH = "(none)"  # API Gateway's name of the empty base path


@dataclass(frozen=True, slots=True)
class Domain:
    """The setting of a domain: its name, its certificate in ACM, and the path below which it serves the API."""

    name: str
    certificate_arn: str
    path: str = ""

    @property
    def origin(self) -> str:
        """The web origin of the dashboard at this domain."""
        return f"https://{self.name}"

    @property
    def url(self) -> str:
        return f"{self.origin}/{self.path}".rstrip("/")


def web_origins(address: str, domain: Domain | None) -> list[str]:
    """The web origins of the dashboard: that of the API's own address, and that of the domain."""
    own = "://".join(urlsplit(address)[:2])
    return [own, domain.origin] if domain else [own]


def target_of(gateway: APIGatewayClient, domain: Domain) -> str:
    """The name at which the DNS record of the domain must point."""
    return gateway.get_domain_name(domainName=domain.name)["regionalDomainName"]


def inspect_domain(gateway: APIGatewayClient, domain: Domain, api_id: str) -> Iterator[str]:
    """What is wrong with the domain in API Gateway, a line each. It says nothing about DNS."""
    try:
        found = gateway.get_domain_name(domainName=domain.name)
    except gateway.exceptions.NotFoundException:
        yield f"API Gateway does not know the domain {domain.name}"
        return
    if found.get("regionalCertificateArn") != domain.certificate_arn:
        yield f"{domain.name} has the certificate {found.get('regionalCertificateArn')}, not {domain.certificate_arn}"
    if found.get("domainNameStatus", "AVAILABLE") != "AVAILABLE":
        yield f"{domain.name} is {found['domainNameStatus']}: {found.get('domainNameStatusMessage', '')}"
    mappings = gateway.get_base_path_mappings(domainName=domain.name, limit=500)["items"]
    if (domain.path or NO_PATH, api_id) not in {(each["basePath"], each["restApiId"]) for each in mappings}:
        yield f"{domain.url} leads to another API, or to none"
