//! What every operation of the API has in common, said once for all of them: parameters that mean the same everywhere, what the machinery in front of the
//! handlers answers, headers of answers, the form of a schema. Only `openapi` calls it, on the document as the handlers' annotations make it.
//!
//! The outcome is OpenAPI 3.0, which client generators of all ages read: what is optional may be absent; only a list may be null.

use serde_json::{Map, Value, json};

use super::bodies;
use service::artifact::Addition;

/// Parameters that mean the same wherever they are: name, default as JSON, meaning.
const PARAMETERS: &[(&str, &str, &str)] = &[
    ("X-Request-Id", "", "Names the request in the answer and in the log; made by the server when it is not sent."),
    ("X-Is-Resource-Name", "false", "Takes a project given by digits for a name instead of an id."),
    ("X-Resource-Name-In-Location", "false", "Puts the name into the answer's Location instead of the id."),
    (
        "X-Accept-Vulnerabilities",
        r#""application/vnd.security.vulnerability.report; version=1.1, application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0""#,
        "The types of report that the caller understands, best first.",
    ),
    (
        "q",
        "",
        "Conditions, joined by commas: `name=value` exactly, `name=~value` in part, `name=[a~b]` a range, `name={a b}` one of, `name=(a b)` all of.",
    ),
    ("sort", "", "Fields to sort by, joined by commas; `-` before one turns it round."),
    ("page", "1", "Which page, from 1."),
    ("page_size", "10", "Rows of a page, at most 100."),
    ("project_name_or_id", "", "The project, by name or by id."),
    ("project_name", "", "The project, by name."),
    ("repository_name", "", "The repository inside its project; its slashes escaped twice (`%252F`)."),
    ("reference", "", "The artifact, by digest or by tag."),
    ("with_detail", "true", "With owner and metadata."),
    ("with_tag", "true", "With the tags."),
    ("with_label", "false", "With the labels."),
    ("with_scan_overview", "false", "With the results of scans."),
    ("with_sbom_overview", "false", "With what is known of the SBOM."),
    ("with_accessory", "false", "With the accessories."),
    ("with_inherited_accessory", "false", "With those of the index that the artifact belongs to."),
    ("with_immutable_status", "false", "Says of each tag whether a rule forbids to move or delete it."),
    ("with_signature", "false", "Not looked at: signatures are accessories."),
    (
        "latest_in_repository",
        "false",
        "Only the artifact of each repository that was pushed last, of those that match; `q` must ask for one of `media_type` and `artifact_type`.",
    ),
];

/// Fields of Harbor's models that a caller may send and nobody looks at, there and here: a client that is generated has them.
const NOT_LOOKED_AT: &[(&str, &str, &str)] = &[
    ("Project", "togglable", "boolean"),
    ("Robot", "secret", "string"),
    ("RobotCreate", "secret", "string"),
    ("RobotCreate", "disable", "boolean"),
];

/// Operations that ask for nobody's name.
const OPEN: [&str; 3] = ["getPing", "getHealth", "getIcon"];

/// What an answer of a status means, unless the operation says more.
fn meaning(status: &str) -> &'static str {
    match status {
        "200" => "Done.",
        "201" => "Made.",
        "202" => "Taken on; it is done later.",
        "400" => "Something about the request breaks a rule, or its address cannot be read.",
        "401" => "Nobody is signed in, and somebody has to be.",
        "403" => "Not allowed, refused while the system is read-only, or a session's request without its CSRF token.",
        "404" => "There is no such thing, or none that the caller may know of.",
        "405" => "Not possible here.",
        "409" => "There is such a thing already, or the state forbids it.",
        "412" => "A state forbids it, such as a rule or content that is still there.",
        "413" => "The body is too large.",
        "415" => "A type that is not supported.",
        "422" => "A parameter or the body does not fit this document.",
        "429" => "Too many sign-ins or requests at once; try again in a moment.",
        "500" => "A failure of the server; its log has more under the request's id.",
        _ => "See the body.",
    }
}

/// Completes the document.
pub(super) fn apply(document: &mut Value) {
    document["openapi"] = json!("3.0.3");
    document["security"] = json!([{"basic": []}, {}]);
    document["components"]["securitySchemes"] = json!({"basic": {"type": "http", "scheme": "basic"}});
    schemas_of_3_0(document);
    for (model, field, kind) in NOT_LOOKED_AT {
        document["components"]["schemas"][model]["properties"][field] = json!({"type": kind, "description": "Not looked at."});
    }
    for (_, item) in each(&mut document["paths"]) {
        for (method, operation) in each(item) {
            complete(method, operation);
        }
    }
}

fn each(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flatten()
}

fn complete(method: &str, operation: &mut Value) {
    bodies::name(operation);
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let has_body = operation.get("requestBody").is_some();
    let parameters = operation.as_object_mut().map(|o| o.entry("parameters").or_insert_with(|| json!([])));
    let mut bound = has_body;
    let mut paged = false;
    if let Some(parameters) = parameters.and_then(Value::as_array_mut) {
        parameters
            .insert(0, json!({"name": "X-Request-Id", "in": "header", "required": false, "schema": {"type": "string", "minLength": 1}}));
        parameters.iter_mut().for_each(parameter);
        bound |= parameters.iter().any(can_misfit);
        paged = parameters.iter().any(|p| p["name"] == "page_size");
    }
    let responses = operation["responses"].as_object_mut();
    let Some(responses) = responses else { return };
    let machinery = [
        ("400", true),
        ("403", !matches!(method, "get" | "head")),
        ("413", has_body),
        ("422", bound),
        ("429", !OPEN.contains(&id.as_str())),
        ("500", id != "getPing"),
    ];
    for (status, _) in machinery.into_iter().filter(|(_, answers)| *answers) {
        responses
            .entry(status)
            .or_insert_with(|| json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Errors"}}}}));
    }
    for (status, response) in responses {
        describe(status, response, paged);
    }
}

fn parameter(parameter: &mut Value) {
    let name = parameter["name"].as_str().unwrap_or_default();
    if name == "addition" {
        parameter["schema"]["enum"] = Addition::ALL.iter().map(|addition| addition.as_str()).collect();
    }
    let name = parameter["name"].as_str().unwrap_or_default();
    let Some((_, default, says)) = PARAMETERS.iter().find(|(known, ..)| *known == name) else { return };
    if name == "page_size" {
        parameter["schema"]["maximum"] = json!(model::list::Paging::MAX_PAGE_SIZE);
    }
    if let Ok(default) = serde_json::from_str(default) {
        parameter["schema"]["default"] = default;
    }
    if parameter.get("description").is_none() {
        parameter["description"] = json!(says);
    }
}

/// Can a caller send something in its place that the binder refuses?
fn can_misfit(parameter: &Value) -> bool {
    let schema = &parameter["schema"];
    let required_in_query = parameter["in"] == "query" && parameter["required"] == true;
    required_in_query || schema["type"] == "integer" || schema.get("enum").is_some()
}

fn describe(status: &str, response: &mut Value, paged: bool) {
    if response["description"].as_str().is_none_or(str::is_empty) {
        response["description"] = json!(meaning(status));
    }
    let text = |says: &str| json!({"description": says, "schema": {"type": "string"}});
    let mut headers = Map::new();
    headers.insert("X-Request-Id".to_owned(), text("Names the request."));
    if status == "201" {
        headers.insert("Location".to_owned(), text("Where it is now."));
    }
    if status == "200" && paged && response.get("content").is_some_and(|content| content["application/json"]["schema"]["type"] == "array") {
        let total = json!({"description": "How many rows there are in all.", "schema": {"type": "integer", "format": "int64"}});
        headers.insert("X-Total-Count".to_owned(), total);
        headers.insert("Link".to_owned(), text("The pages before and after."));
    }
    if let Some(file) = response.get_mut("content").and_then(|content| content.get_mut("application/octet-stream")) {
        file["schema"] = json!({"type": "string", "format": "binary"});
        headers.insert("Content-Disposition".to_owned(), text("The file's name."));
    }
    response["headers"] = Value::Object(headers);
}

/// Takes `null` out of types, but for lists; a reference stands alone.
fn schemas_of_3_0(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(schemas_of_3_0),
        Value::Object(object) => {
            if let Some(of) = object.get("oneOf").and_then(optional) {
                *value = of;
                return schemas_of_3_0(value);
            }
            if let Some(reference) = object.get("$ref").filter(|_| object.len() > 1) {
                *value = json!({"$ref": reference});
                return;
            }
            if let Some(kind) = object.get("type").and_then(Value::as_array).and_then(|kinds| kinds.iter().find(|k| *k != "null")).cloned()
            {
                if kind == "array" {
                    object.insert("nullable".to_owned(), json!(true));
                }
                object.insert("type".to_owned(), kind);
            }
            if let Some(Value::String(text)) = object.get_mut("description") {
                // Links between types of the source lead nowhere here.
                *text = text.replace("[`", "`").replace("`]", "`");
            }
            // What the server makes of an absent field; a client that sends it in its place changes what it never meant to.
            if object.get("type").is_some_and(Value::is_string) {
                object.remove("default");
            }
            // Names only tell what the type already says.
            object.remove("propertyNames");
            object.values_mut().for_each(schemas_of_3_0);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The other one of two of which one is null.
fn optional(choices: &Value) -> Option<Value> {
    let [a, b] = choices.as_array()?.as_slice() else { return None };
    let is_null = |choice: &Value| choice["type"] == "null";
    match (is_null(a), is_null(b)) {
        (true, false) => Some(b.clone()),
        (false, true) => Some(a.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_lose_what_only_3_1_knows() {
        let mut schema = json!({"properties": {
            "name": {"type": ["string", "null"]}, "tags": {"type": ["array", "null"], "items": {"$ref": "#/x"}},
            "owner": {"oneOf": [{"type": "null"}, {"$ref": "#/y", "description": "Whose."}]}}});
        schemas_of_3_0(&mut schema);
        assert_eq!(
            schema,
            json!({"properties": {"name": {"type": "string"}, "tags": {"type": "array", "nullable": true, "items": {"$ref": "#/x"}},
                "owner": {"$ref": "#/y"}}})
        );
    }

    #[test]
    fn an_operation_answers_what_the_machinery_answers() {
        let mut document = json!({"components": {}, "paths": {"/things/{id}": {"put": {"operationId": "putThing", "requestBody": {},
            "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}], "responses": {"200": {}}}}}});
        apply(&mut document);
        let operation = &document["paths"]["/things/{id}"]["put"];
        let statuses: Vec<_> = operation["responses"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(statuses, ["200", "400", "403", "413", "422", "429", "500"]);
        assert_eq!(operation["parameters"][0]["name"], "X-Request-Id");
        assert_eq!(operation["responses"]["200"]["description"], "Done.");
    }
}
