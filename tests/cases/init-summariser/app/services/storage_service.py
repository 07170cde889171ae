from config import setting
from minio import Minio

client = Minio(setting.MINIO_ENDPOINT)
