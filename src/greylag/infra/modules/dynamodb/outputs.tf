output "names" {
  description = "Table names by key: what an application and monitoring use."
  value       = { for key, table in local.made : key => table.name }
}

output "arns" {
  description = "Table ARNs by key, for IAM policies."
  value       = { for key, table in local.made : key => table.arn }
}

output "index_arns" {
  description = "ARNs of each table's indexes by key, for IAM policies."
  value       = { for key, table in local.made : key => [for index in concat(keys(var.tables[key].indexes), keys(var.tables[key].local_indexes)) : "${table.arn}/index/${index}"] }
}

output "index_names" {
  description = "Names of each table's global indexes by key, for monitoring."
  value       = { for key, table in var.tables : key => keys(table.indexes) }
}

output "stream_arns" {
  description = "Stream ARNs of the tables that have one, by key."
  value       = { for key, table in local.made : key => table.stream_arn if var.tables[key].stream != null }
}

output "replica_arns" {
  description = "ARNs of the replicas, by key and region."
  value       = { for key, table in local.made : key => { for region in keys(var.tables[key].replicas) : region => replace(table.arn, ":${data.aws_region.current.region}:", ":${region}:") } }
}
