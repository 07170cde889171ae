output "queue_name" {
  description = "The queue's name."
  value       = aws_sqs_queue.this.name
}

output "queue_arn" {
  description = "The queue's ARN."
  value       = aws_sqs_queue.this.arn
}

output "queue_url" {
  description = "The queue's URL."
  value       = aws_sqs_queue.this.url
}

output "dead_letter_name" {
  description = "Name of the queue of dead letters, for its alarm."
  value       = aws_sqs_queue.dead_letters.name
}

output "dead_letter_arn" {
  description = "ARN of the queue of dead letters."
  value       = aws_sqs_queue.dead_letters.arn
}

output "dead_letter_url" {
  description = "URL of the queue of dead letters."
  value       = aws_sqs_queue.dead_letters.url
}

output "visibility_timeout_seconds" {
  description = "The visibility timeout in force."
  value       = aws_sqs_queue.this.visibility_timeout_seconds
}

output "fifo" {
  description = "Whether the queue is FIFO."
  value       = var.fifo
}
