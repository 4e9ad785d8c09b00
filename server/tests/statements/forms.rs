//! The ways in which a list is asked for: plainly, filtered and ordered, and for its second page.

use serde_json::Value;

/// Filters and orders of the lists that take any: each shows one row at least to whoever is known to see the list.
const FILTERS: [(&str, &[&str]); 18] = [
    ("listProjects", &["q=name%3D~e&sort=-creation_time,name", "name=e&sort=name", "public=true", "q=owner%3Dadmin"]),
    ("listAllRepositories", &["q=name%3D~r&sort=-name"]),
    ("listRepositories", &["q=name%3D~r&sort=-update_time"]),
    ("listArtifacts", &["q=type%3DIMAGE&sort=-push_time", "q=tags%3D*&sort=size", "q=tags%3D~o"]),
    (
        "listArtifactsOfProject",
        &["q=type%3DIMAGE&sort=-push_time", "q=media_type%3Dapplication/vnd.oci.image.config.v1%252Bjson&latest_in_repository=true"],
    ),
    ("listTags", &["q=name%3D~a&sort=-name"]),
    ("listAccessories", &["q=type%3D~sig&sort=-creation_time"]),
    ("listAuditLogExts", &["q=operation%3Dcreate&sort=op_time,id"]),
    ("getLogExts", &["q=operation%3Dcreate&sort=op_time,id"]),
    ("listAuditLogs", &["q=operation%3Dcreate&sort=op_time"]),
    ("getLogs", &["q=operation%3Dcreate&sort=op_time"]),
    ("ListImmuRules", &["q=disabled%3Dfalse&sort=-id"]),
    ("ListLabels", &["q=name%3D~label&sort=-name", "name=label0"]),
    ("ListRobot", &["q=name%3D~robot&sort=-name"]),
    ("listUsers", &["q=username%3D~user&sort=-username"]),
    ("listQuotas", &["reference=project&sort=-used.storage"]),
    ("listProjectMembers", &["entityname=mira"]),
    ("listUserGroups", &["group_name=group0"]),
];

/// A list of the document and an address that asks for it, with everything that it can be asked for.
pub struct List {
    pub operation: String,
    pub address: String,
    /// How it is asked for, for reports.
    pub form: String,
    /// Rows that it shows at least to who sees the list.
    pub least: usize,
}

impl List {
    /// The operation and how it is asked for, for reports.
    pub fn name(&self) -> String {
        format!("{} {}", self.operation, self.form).trim_end().to_owned()
    }
}

/// The ways in which a list is asked for. One with a filter or an order that [`FILTERS`] does not know is not tested, which fails.
pub fn forms(name: &str, path: &str, operation: &Value, rows: usize, project: &str) -> Vec<List> {
    let takes = |wanted: &str| operation["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == wanted));
    let of = |form: &str, address: String, least: usize| List { operation: name.to_owned(), address, form: form.to_owned(), least };
    let plain = address(path, operation, rows, project);
    let filters = FILTERS.iter().find(|(known, _)| *known == name).map_or(&[][..], |(_, filters)| *filters);
    assert!(name == "search" || !filters.is_empty() || !(takes("q") || takes("sort")), "no filter of {name} is known");
    let filtered = filters.iter().map(|filter| of(filter, format!("{plain}&{filter}"), 1)).collect::<Vec<_>>();
    // With half as many rows on a page, the second is full.
    let half = format!("{}&page=2", address(path, operation, rows / 2, project));
    let second = takes("page").then(|| of("page=2", half, rows / 2));
    [of("", plain, rows)].into_iter().chain(filtered).chain(second).collect()
}

/// An address for an operation: parameters of the path have names of the world, flags are all on.
fn address(path: &str, operation: &Value, rows: usize, project: &str) -> String {
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let mut address = format!("/api/v2.0{path}");
    let mut query = Vec::new();
    for parameter in &parameters {
        let name = parameter["name"].as_str().expect("a name");
        match parameter["in"].as_str() {
            Some("path") => {
                let value = match name {
                    "project_name_or_id" | "project_name" => project,
                    "repository_name" => "r0",
                    "reference" => "v0",
                    other => panic!("{path}: what is {other}? The world of this test has no such thing yet"),
                };
                address = address.replace(&format!("{{{name}}}"), value);
            }
            Some("query") => match name {
                // As long as there are rows: the length at which a page does not tell by itself how many there are.
                "page_size" => query.push(format!("page_size={rows}")),
                "q" if parameter["required"] == true => query.push("q=repo".to_owned()),
                "scope" if path == "/labels" => query.push("scope=g".to_owned()),
                "username" if parameter["required"] == true => query.push("username=user".to_owned()),
                "groupname" => query.push("groupname=group".to_owned()),
                flag if flag.starts_with("with_") => query.push(format!("{flag}=true")),
                _ => {}
            },
            _ => {}
        }
    }
    format!("{address}?{}", query.join("&"))
}
