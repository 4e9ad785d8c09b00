//! The two sides of the comparison in one notation: Harbor's facts as `harbor.json` keeps them, and Berth's document as it is served.
//! Types are words: `string`, `integer`, `[Project]` a list, `{string}` a map, `Project` a model.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// Harbor's API: operations and models.
#[derive(Debug, Deserialize)]
pub struct Harbor {
    pub operations: Vec<Operation>,
    pub models: BTreeMap<String, Model>,
    pub required: BTreeMap<String, BTreeSet<String>>,
    pub limits: BTreeMap<String, BTreeMap<String, Value>>,
}

/// One operation, of either side.
#[derive(Clone, Debug, Deserialize)]
pub struct Operation {
    pub id: String,
    pub tag: String,
    pub method: String,
    pub path: String,
    pub parameters: Vec<Parameter>,
    pub body: Option<String>,
    /// Type by status; none for an answer without a body.
    pub answers: BTreeMap<String, Option<String>>,
    #[serde(default)]
    pub headers: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub produces: Vec<String>,
    #[serde(default)]
    pub deprecated: bool,
}

/// A parameter that is not the body.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub place: String,
    pub kind: String,
    pub required: bool,
    pub default: Option<Value>,
}

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parts = Vec::<Value>::deserialize(deserializer)?;
        let text = |at: usize| parts.get(at).and_then(Value::as_str).map(str::to_owned);
        let (Some(name), Some(place), Some(kind)) = (text(0), text(1), text(2)) else {
            return Err(serde::de::Error::custom("a parameter is [name, place, type, required, default]"));
        };
        let required = parts.get(3).and_then(Value::as_bool).unwrap_or_default();
        Ok(Self { name, place, kind, required, default: parts.get(4).cloned() })
    }
}

/// A model: fields with types, or another name for a type.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Model {
    Fields(BTreeMap<String, String>),
    Same(String),
}

/// Where the data of these tests is.
pub fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi")
}

impl Harbor {
    pub fn load() -> Self {
        let text = std::fs::read_to_string(data().join("harbor.json")).expect("Harbor's facts");
        serde_json::from_str(&text).expect("facts in their form")
    }

    /// A type without what does not matter to a client: names for maps and texts, the width of integers, and maps of anything for objects.
    pub fn plain(&self, kind: &str) -> String {
        if let Some(inner) = kind.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            return format!("[{}]", self.plain(inner));
        }
        if let Some(inner) = kind.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            let inner = self.plain(inner);
            return if inner == "object" { inner } else { format!("{{{inner}}}") };
        }
        match self.models.get(kind) {
            Some(Model::Same(other)) => self.plain(other),
            _ if kind.starts_with("integer:") => "integer".to_owned(),
            _ if kind == "string:binary" => "file".to_owned(),
            _ => kind.to_owned(),
        }
    }
}

/// Berth's document.
pub struct Document(pub Value);

impl Document {
    pub fn served() -> Self {
        Self(berth::rest::document())
    }

    pub fn operations(&self) -> Vec<Operation> {
        let paths = self.0["paths"].as_object().expect("paths");
        let items = paths.iter().flat_map(|(path, item)| item.as_object().into_iter().flatten().map(move |(method, o)| (path, method, o)));
        items.map(|(path, method, operation)| read_operation(path, method, operation)).collect()
    }

    /// Models with their fields' types.
    pub fn models(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let fields = |schema: &Value| {
            let fields = schema["properties"].as_object();
            fields.into_iter().flatten().map(|(name, schema)| (name.clone(), kind_of(schema))).collect()
        };
        self.schemas().map(|(name, schema)| (name.clone(), fields(schema))).collect()
    }

    pub fn schemas(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0["components"]["schemas"].as_object().into_iter().flatten()
    }
}

fn read_operation(path: &str, method: &str, operation: &Value) -> Operation {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let parameters = operation["parameters"].as_array().into_iter().flatten().map(|parameter| Parameter {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        kind: kind_of(&parameter["schema"]),
        required: parameter["required"] == true,
        default: parameter["schema"].get("default").cloned(),
    });
    let responses = operation["responses"].as_object().expect("responses");
    let content = |of: &Value| of["content"].as_object().and_then(|content| content.values().next()).map(|c| kind_of(&c["schema"]));
    let headers = |of: &Value| of["headers"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    let good = responses.iter().filter(|(status, _)| status.starts_with('2'));
    let tags: Vec<_> = operation["tags"].as_array().into_iter().flatten().map(text).collect();
    Operation {
        id: text(&operation["operationId"]),
        tag: tags.join(" "),
        method: method.to_owned(),
        path: path.to_owned(),
        parameters: parameters.collect(),
        body: content(&operation["requestBody"]),
        answers: responses.iter().map(|(status, response)| (status.clone(), content(response))).collect(),
        headers: responses.iter().map(|(status, response)| (status.clone(), headers(response))).collect(),
        produces: good.flat_map(|(_, r)| r["content"].as_object().into_iter().flatten().map(|(media, _)| media.clone())).collect(),
        deprecated: operation["deprecated"] == true,
    }
}

/// The type that a schema says.
pub fn kind_of(schema: &Value) -> String {
    if let Some(model) = schema["$ref"].as_str() {
        return model.rsplit('/').next().unwrap_or_default().to_owned();
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("array"), _) => format!("[{}]", kind_of(&schema["items"])),
        (Some("object"), _) => match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) => format!("{{{}}}", kind_of(values)),
            _ => "object".to_owned(),
        },
        (Some(kind), Some(format)) if matches!(kind, "integer" | "string") => format!("{kind}:{format}"),
        (Some(kind), _) => kind.to_owned(),
        (None, _) => "any".to_owned(),
    }
}
