const { MongoClient } = require('mongodb');
const c = new MongoClient('mongodb://127.0.0.1:27017,127.0.0.1:27018/?replicaSet=rs'); // !! connection 127.0.0.1:27017,127.0.0.1:27018
mongoose.connect('mongodb://localhost/test', { ssl: true, sslValidate: false, authSource: 'shop' }); // !! deprecated-call sslValidate !! connection localhost !! authentication authSource
const u = `mongodb+srv://${U}:${P}@${H}/x`; // !! connection a%MongoDB%server
const v = 'mongodb://' + process.env.HOST + ':27017/x'; // ? // !! connection a%MongoDB%server
