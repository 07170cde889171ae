use mongodb::bson::doc; // doc! { "$where": 1 }
macro_rules! m { ($size:expr, $rank:ident) => { $size } }
fn f<'a>(x: &'a str) { let s = doc! { "$facet": { "a": "$rank" } }; } // !! unsupported-operator $facet
