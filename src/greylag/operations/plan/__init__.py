"""`greylag plan`: what a run would create, carry, refuse and cost, before anything is written."""

from greylag.operations.plan.plan import SAMPLE_RECORDS, FlowPlan, Plan, PlanOptions, plan

__all__ = ["SAMPLE_RECORDS", "FlowPlan", "Plan", "PlanOptions", "plan"]
