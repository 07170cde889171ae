from config import setting
from motor.motor_asyncio import AsyncIOMotorClient

jobs = AsyncIOMotorClient(setting.MONGO_URL)[setting.MONGO_DB_NAME].get_collection("jobs")
