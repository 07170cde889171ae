output "vpc_id" {
  description = "The VPC's id."
  value       = aws_vpc.this.id
}

output "vpc_cidr_block" {
  description = "The VPC's range."
  value       = aws_vpc.this.cidr_block
}

output "zones" {
  description = "The zones used, in the order of the subnet lists."
  value       = local.zones
}

output "public_subnet_ids" {
  description = "Public subnets, one in each zone: load balancers and NAT, nothing else."
  value       = [for zone in local.zones : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "Private subnets, one in each zone: functions and services."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]
}

output "data_subnet_ids" {
  description = "Data subnets, one in each zone, without any way out: databases and caches."
  value       = [for zone in local.zones : aws_subnet.data[zone].id]
}

output "private_route_table_ids" {
  description = "Route tables of the private subnets."
  value       = [for zone in local.zones : aws_route_table.private[zone].id]
}

output "data_route_table_id" {
  description = "Route table of the data subnets."
  value       = aws_route_table.data.id
}

output "workload_security_group_id" {
  description = "For functions and services: no way in, out to the VPC and to HTTPS anywhere. Stores name it as their client."
  value       = aws_security_group.workload.id
}

output "endpoint_security_group_id" {
  description = "In front of the interface endpoints: HTTPS from the VPC."
  value       = aws_security_group.endpoint.id
}

output "gateway_endpoint_ids" {
  description = "Gateway endpoints by service, for bucket and table policies."
  value       = { for service, endpoint in aws_vpc_endpoint.gateway : service => endpoint.id }
}

output "interface_endpoint_ids" {
  description = "Interface endpoints by service."
  value       = { for service, endpoint in aws_vpc_endpoint.interface : service => endpoint.id }
}

output "nat_public_ips" {
  description = "Addresses that private subnets appear from, for others' allow lists."
  value       = [for zone in local.nat_zones : aws_eip.nat[zone].public_ip]
}

output "nat_gateway_ids" {
  description = "NAT gateways by zone, for monitoring."
  value       = { for zone, gateway in aws_nat_gateway.this : zone => gateway.id }
}

output "nat_instance_ids" {
  description = "NAT instances by zone, for monitoring."
  value       = { for zone, instance in aws_instance.nat : zone => instance.id }
}

output "flow_log_group_name" {
  description = "Log group of the flow log."
  value       = aws_cloudwatch_log_group.flow.name
}
