use mongodb::bson::doc;
fn f() {
    match op { "$where" => 1, "$facet" | "$top" => 2, _ => 3 };
    let p = vec![doc! { "$match": {} }, doc! { "$set": { "a": 1 } }]; // !! unsupported-operator $set -8.0
    c.update_one(doc! {}, doc! { "$set": { "a": 1 } });
    c.update_one(doc! {}, vec![doc! { "$set": { "a": 1 } }]); // !! unsupported-operator $set -8.0
    let bad = ["$where", "$function"]; let bad2 = vec!["$where", "$function"];
    println!("{{ $facet: 1 }} $where");
    let q = r#"{"$where": "x"}"#; // !! unsupported-operator $where
}
