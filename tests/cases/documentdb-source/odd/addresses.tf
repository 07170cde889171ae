variable "u" { default = "mongodb://u:p@db.example.com/shop" }
