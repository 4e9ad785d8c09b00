//! Words for types, from schemas of the document. Only the page uses them.

use serde_json::Value;

/// The schema that a reference leads to, or the schema itself.
#[cfg(test)]
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
    use serde_json::json;

    use super::*;

    #[test]
    fn types_in_words() {
        assert_eq!(words(&json!({"type": "array", "items": {"$ref": "#/components/schemas/Tag"}})), "list of Tag");
        assert_eq!(words(&json!({"type": "object", "additionalProperties": {"type": "integer"}})), "map of integer");
        assert_eq!(limits(&json!({"type": "integer", "maximum": 100, "default": 10})), "at most 100; default 10");
    }
}
