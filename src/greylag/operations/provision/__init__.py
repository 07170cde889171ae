"""Tables, buckets and queues made without Terraform, and removed again."""

from greylag.operations.provision.deprovision import Departure, DeprovisionReport, deprovision
from greylag.operations.provision.provision import Plan, ProvisionReport, Step, provision

__all__ = ["Departure", "DeprovisionReport", "Plan", "ProvisionReport", "Step", "deprovision", "provision"]
