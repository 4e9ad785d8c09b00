//! Examples of bodies and words for types, from schemas of the document. Only the page uses them.

use serde_json::{Map, Value, json};

/// Models inside models are followed this far; none of the API's is deeper.
const DEPTH: usize = 5;

/// The schema that a reference leads to, or the schema itself.
pub(super) fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match model_of(schema) {
        Some(model) => &document["components"]["schemas"][model],
        None => schema,
    }
}

/// The model that a schema refers to.
pub(super) fn model_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next())
}

/// A body with every field that a caller may set, to start from.
pub(super) fn example(document: &Value, schema: &Value) -> Value {
    at_depth(document, schema, 0)
}

fn at_depth(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolved(document, schema);
    if depth > DEPTH {
        return Value::Null;
    }
    match schema["type"].as_str() {
        Some("object") => {
            // What only the server sets would be in the way.
            let fields = schema["properties"].as_object().into_iter().flatten().filter(|(_, schema)| schema["format"] != "date-time");
            let mut object: Map<_, _> = fields.map(|(name, schema)| (name.clone(), at_depth(document, schema, depth + 1))).collect();
            if let Some(values @ Value::Object(_)) = schema.get("additionalProperties") {
                object.insert("key".to_owned(), at_depth(document, values, depth + 1));
            }
            Value::Object(object)
        }
        Some("array") => json!([at_depth(document, &schema["items"], depth + 1)]),
        Some("integer" | "number") => json!(0),
        Some("boolean") => json!(false),
        Some("string") => schema["enum"][0].as_str().map_or_else(|| json!(""), |word| json!(word)),
        _ => Value::Null,
    }
}

/// A type in words; models by name.
pub(super) fn words(schema: &Value) -> String {
    if let Some(model) = model_of(schema) {
        return model.to_owned();
    }
    let kind = schema["type"].as_str().unwrap_or("anything");
    match kind {
        "array" => format!("list of {}", words(&schema["items"])),
        "object" => match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) => format!("map of {}", words(values)),
            _ => kind.to_owned(),
        },
        _ => match schema["format"].as_str() {
            Some("date-time") => "date and time".to_owned(),
            _ => kind.to_owned(),
        },
    }
}

/// Limits of a value, in words.
pub(super) fn limits(schema: &Value) -> String {
    let mut limits = Vec::new();
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        limits.push(format!("one of {}", words.join(", ")));
    }
    for (key, says) in [("minimum", "at least"), ("maximum", "at most"), ("minLength", "length at least"), ("maxLength", "length at most")]
    {
        if let Some(limit) = schema[key].as_i64() {
            limits.push(format!("{says} {limit}"));
        }
    }
    if let Some(default) = schema.get("default") {
        limits.push(format!("default {default}"));
    }
    limits.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_have_every_field() {
        let document = json!({"components": {"schemas": {
            "Outer": {"type": "object", "properties": {"name": {"type": "string"}, "inner": {"$ref": "#/components/schemas/Inner"}}},
            "Inner": {"type": "object", "properties": {"ids": {"type": "array", "items": {"type": "integer"}},
                "map": {"type": "object", "additionalProperties": {"type": "string"}}, "self": {"$ref": "#/components/schemas/Inner"}}}}}});
        let example = example(&document, &json!({"$ref": "#/components/schemas/Outer"}));
        assert_eq!(example["name"], "");
        assert_eq!(example["inner"]["ids"], json!([0]));
        assert_eq!(example["inner"]["map"], json!({"key": ""}));
    }

    #[test]
    fn types_in_words() {
        assert_eq!(words(&json!({"type": "array", "items": {"$ref": "#/components/schemas/Tag"}})), "list of Tag");
        assert_eq!(words(&json!({"type": "object", "additionalProperties": {"type": "integer"}})), "map of integer");
        assert_eq!(limits(&json!({"type": "integer", "maximum": 100, "default": 10})), "at most 100; default 10");
    }
}
