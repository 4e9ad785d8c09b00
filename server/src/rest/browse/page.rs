//! The page's HTML, from the document: operations by tag with parameters, bodies and answers, then the models. Only `browse` uses it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::example::{limits, model_of, words};
use super::sample;
use crate::rest::BASE;
use crate::text::escape_html;

/// The sign in the corner; the page's own copy, since the portal's files need not be built in.
const FAVICON: &str = include_str!("../../../../public/favicon.svg");

/// The sign without its own colours: the style sheet has those of the theme.
fn mark() -> String {
    let plain = FAVICON.replace("fill=\"#1a7f8c\"", "class=\"post\"").replace("fill=\"#b5832a\"", "class=\"rope\"");
    plain.replace("role=\"img\" aria-label=\"Berth\"", "class=\"mark\" aria-hidden=\"true\"")
}

/// The name of a repository as this page takes it. The document's own words are for clients that put it into an address themselves.
const REPOSITORY: &str = "The repository inside its project, as it is called: the form escapes its slashes. In an address of your own they are \
    escaped twice (`%252F`).";

/// Writes into a text; that cannot fail.
macro_rules! put {
    ($out:expr, $($format:tt)+) => { let _ = write!($out, $($format)+); };
}

/// The document's head.
pub(super) fn head(style: &str, script: &str) -> String {
    format!(
        "<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>API · Berth</title>\
         <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\"><link rel=\"stylesheet\" href=\"{style}\">\
         <script type=\"module\" src=\"{script}\"></script></head>\n"
    )
}

/// Everything else.
pub(super) fn body(document: &Value) -> String {
    let tags = by_tag(document);
    let mut out = String::with_capacity(512 << 10);
    put!(
        out,
        "<body><a class=\"skip\" href=\"#main\">Skip to content</a><div class=\"shell\"><header class=\"topbar\">\
         <button type=\"button\" class=\"btn btn-quiet nav-toggle\" popovertarget=\"nav\">Contents</button>\
         <a class=\"brand\" href=\"/\" aria-label=\"Berth, home\">{}<span>Berth</span></a>\
         <nav class=\"crumbs\" aria-label=\"Breadcrumb\"><ol><li><span aria-current=\"page\">API</span></li></ol></nav>\
         <div class=\"end\"><a class=\"btn\" href=\"{BASE}/openapi.json\">OpenAPI document</a></div></header>",
        mark()
    );
    contents(&mut out, &tags);
    put!(out, "<main class=\"page\" id=\"main\" tabindex=\"-1\" data-base=\"{BASE}\">");
    opening(&mut out, document);
    for (tag, operations) in &tags {
        put!(out, "<section class=\"tag\" id=\"tag-{tag}\" aria-labelledby=\"head-{tag}\"><h2 id=\"head-{tag}\">{tag}</h2>");
        for operation in operations {
            operation.write(&mut out);
        }
        out.push_str("</section>");
    }
    models(&mut out, document);
    out.push_str("</main></div></body></html>\n");
    out
}

struct Operation<'a> {
    method: String,
    path: &'a str,
    value: &'a Value,
}

type Tags<'a> = Vec<(&'a str, Vec<Operation<'a>>)>;

/// In the order of tags, whatever their case, then as the document has them.
fn by_tag(document: &Value) -> Tags<'_> {
    let mut tags: BTreeMap<&str, Vec<Operation<'_>>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, value) in item.as_object().into_iter().flatten() {
            let tag = value["tags"][0].as_str().unwrap_or_default();
            tags.entry(tag).or_default().push(Operation { method: method.to_uppercase(), path, value });
        }
    }
    let mut tags: Vec<_> = tags.into_iter().collect();
    tags.sort_by_key(|(tag, _)| tag.to_lowercase());
    tags
}

fn contents(out: &mut String, tags: &Tags<'_>) {
    out.push_str("<nav class=\"sidenav\" id=\"nav\" popover=\"\" aria-label=\"Contents\">\
        <button type=\"button\" class=\"btn btn-quiet nav-close\" popovertarget=\"nav\" popovertargetaction=\"hide\">Close</button><div><h2>Operations</h2><ul>");
    for (tag, operations) in tags {
        put!(out, "<li><a href=\"#tag-{tag}\"><span>{tag}</span><span class=\"count push\">{}</span></a></li>", operations.len());
    }
    out.push_str("</ul></div><div><h2>Types</h2><ul><li><a href=\"#models\">Models</a></li></ul></div></nav>");
}

fn opening(out: &mut String, document: &Value) {
    put!(
        out,
        "<div class=\"page-head\"><div class=\"titles\"><h1>{}</h1><p class=\"lede\">{}</p></div></div>\
         <div class=\"tools\" hidden><div class=\"field\"><label for=\"find\">Find an operation</label>\
         <input class=\"input\" id=\"find\" type=\"search\" autocomplete=\"off\" aria-keyshortcuts=\"/\" placeholder=\"Path, name or words\"></div>\
         <fieldset class=\"who\"><legend class=\"vh\">Who sends</legend>\
         <div class=\"field\"><label for=\"user\">Name <span class=\"opt\">for Basic</span></label>\
         <input class=\"input\" id=\"user\" autocomplete=\"off\" spellcheck=\"false\"></div>\
         <div class=\"field\"><label for=\"password\">Password or secret</label>\
         <input class=\"input\" id=\"password\" type=\"password\" autocomplete=\"off\"></div>\
         <p class=\"hint\">Without a name, requests go out as the session of this browser. What is typed here stays on this page.</p></fieldset></div>\
         <noscript><p class=\"note\">Requests can be tried with scripts on; everything else is here.</p></noscript>",
        escape_html(document["info"]["title"].as_str().unwrap_or_default()),
        escape_html(document["info"]["description"].as_str().unwrap_or_default()),
    );
}

impl Operation<'_> {
    fn write(&self, out: &mut String) {
        let text = |key: &str| escape_html(self.value[key].as_str().unwrap_or_default());
        let (id, method, path) = (text("operationId"), &self.method, escape_html(self.path));
        let class = if method == "DELETE" { " danger" } else { "" };
        put!(
            out,
            "<details class=\"op\" id=\"op-{id}\" data-method=\"{method}\" data-path=\"{path}\"><summary><h3>\
             <span class=\"method{class}\">{method}</span> <code>{path}</code> <span class=\"says\">{}</span></h3></summary><div class=\"inside\">",
            prose(self.value["summary"].as_str().unwrap_or_default())
        );
        if self.value["description"].is_string() {
            put!(out, "<p>{}</p>", prose(self.value["description"].as_str().unwrap_or_default()));
        }
        put!(out, "<p class=\"sub\">Name: <code>{id}</code> · <a href=\"#op-{id}\">Link to here</a></p>");
        self.parameters(out);
        self.request_body(out);
        self.answers(out);
        out.push_str("</div></details>");
    }

    fn parameters(&self, out: &mut String) {
        let parameters = self.value["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        // It is everywhere; once is enough for reading, and nobody tries it out.
        let shown: Vec<_> = parameters.iter().filter(|p| p["name"] != "X-Request-Id").collect();
        if shown.is_empty() {
            return;
        }
        out.push_str("<h4>Parameters</h4><table class=\"grid params\"><thead><tr><th>Name</th><th>In</th><th>Type</th><th>Meaning</th></tr></thead><tbody>");
        for parameter in shown {
            let text = |key: &str| escape_html(parameter[key].as_str().unwrap_or_default());
            let schema = &parameter["schema"];
            let required = parameter["required"] == true;
            let meaning = match parameter["name"].as_str() {
                Some("repository_name") => REPOSITORY,
                _ => parameter["description"].as_str().unwrap_or_default(),
            };
            put!(
                out,
                "<tr data-name=\"{name}\" data-in=\"{place}\" data-type=\"{}\"{}><th scope=\"row\"><code>{name}</code>{}</th><td>{place}</td><td>{}{}</td><td>{}</td></tr>",
                escape_html(schema["type"].as_str().unwrap_or_default()),
                if required { " data-required" } else { "" },
                if required { " <span class=\"sub\">required</span>" } else { "" },
                escape_html(&words(schema)),
                sub(&limits(schema)),
                prose(meaning),
                name = text("name"),
                place = text("in"),
            );
        }
        out.push_str("</tbody></table>");
    }

    fn request_body(&self, out: &mut String) {
        let Some(schema) = self.value["requestBody"]["content"]["application/json"].get("schema") else { return };
        let text = sample::body(self.value["operationId"].as_str().unwrap_or_default());
        put!(
            out,
            "<h4>Body</h4><p>{}, as JSON.</p><pre class=\"code example\" tabindex=\"0\" role=\"group\" aria-label=\"Example of a body\">{}</pre>",
            type_link(schema),
            escape_html(text)
        );
    }

    fn answers(&self, out: &mut String) {
        out.push_str("<h4>Answers</h4><table class=\"grid\"><thead><tr><th>Status</th><th>Body</th><th>Meaning</th></tr></thead><tbody>");
        for (status, response) in self.value["responses"].as_object().into_iter().flatten() {
            let schema = response["content"].as_object().and_then(|content| content.values().next()).map(|content| &content["schema"]);
            put!(
                out,
                "<tr><th scope=\"row\">{status}</th><td>{}</td><td>{}</td></tr>",
                schema.map_or_else(|| "none".to_owned(), type_link),
                prose(response["description"].as_str().unwrap_or_default())
            );
        }
        out.push_str("</tbody></table>");
    }
}

fn models(out: &mut String, document: &Value) {
    out.push_str("<section class=\"tag\" id=\"models\" aria-labelledby=\"head-models\"><h2 id=\"head-models\">Models</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        put!(
            out,
            "<details class=\"op\" id=\"model-{name}\"><summary><h3><code>{name}</code> <span class=\"says\">{}</span></h3></summary><div class=\"inside\">",
            prose(schema["description"].as_str().unwrap_or_default().lines().next().unwrap_or_default())
        );
        out.push_str("<table class=\"grid\"><thead><tr><th>Field</th><th>Type</th><th>Meaning</th></tr></thead><tbody>");
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            put!(
                out,
                "<tr><th scope=\"row\"><code>{}</code>{}</th><td>{}{}</td><td>{}</td></tr>",
                escape_html(field),
                if required.contains(&Value::from(field.as_str())) { " <span class=\"sub\">required</span>" } else { "" },
                type_link(schema),
                sub(&limits(schema)),
                prose(schema["description"].as_str().unwrap_or_default())
            );
        }
        out.push_str("</tbody></table></div></details>");
    }
    out.push_str("</section>");
}

/// A type in words; a model's name leads to it.
fn type_link(schema: &Value) -> String {
    let inner = if schema["type"] == "array" { &schema["items"] } else { schema };
    let words = escape_html(&words(schema));
    match model_of(inner) {
        Some(model) => words.replace(model, &format!("<a href=\"#model-{model}\">{model}</a>")),
        None => words,
    }
}

fn sub(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<span class=\"sub\">{}</span>", escape_html(text)) }
}

/// A text for people: code words in backticks become code.
fn prose(text: &str) -> String {
    let escaped = escape_html(text);
    let parts: Vec<_> = escaped.split('`').collect();
    // Backticks come in pairs, or they are text.
    if parts.len().is_multiple_of(2) {
        return escaped;
    }
    let parts = parts.iter().enumerate().map(|(at, part)| if at % 2 == 1 { format!("<code>{part}</code>") } else { (*part).to_owned() });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_sign_has_the_colours_of_the_theme() {
        let mark = mark();
        assert!(!mark.contains("fill=") && mark.contains("class=\"post\"") && mark.contains("class=\"rope\""), "{mark}");
        assert!(mark.contains("class=\"mark\" aria-hidden=\"true\""), "{mark}");
    }

    #[test]
    fn the_form_takes_a_repository_as_it_is_called() {
        let html = body(&crate::rest::document());
        assert!(html.contains("the form escapes its slashes") && !html.contains("its slashes escaped twice"));
    }

    #[test]
    fn texts_are_escaped_and_types_lead_to_their_models() {
        let list = json!({"type": "array", "items": {"$ref": "#/components/schemas/Tag"}});
        assert_eq!(type_link(&list), "list of <a href=\"#model-Tag\">Tag</a>");
        assert_eq!(type_link(&json!({"type": "string"})), "string");
        assert_eq!(prose("is `<a>` or `b`"), "is <code>&lt;a&gt;</code> or <code>b</code>");
        assert_eq!(prose("a ` b"), "a ` b");
    }
}
