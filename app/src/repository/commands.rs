//! The commands that pull from and push to a repository, per client. Only clients that can do it are listed. Pages show them, nothing runs them.

use super::Kind;
use crate::{kit::Recipe, session::Visitor};

/// The registry as clients are told about it.
#[derive(Clone, Copy, Debug)]
pub struct Host<'a> {
    /// Host, and port unless it is the usual one.
    pub name: &'a str,
    /// Whether it speaks plain http.
    pub plain_http: bool,
}

impl<'a> Host<'a> {
    /// As this visitor reaches it.
    pub fn of(visitor: &'a Visitor) -> Self {
        Self { name: &visitor.registry, plain_http: visitor.plain_http }
    }

    /// What a client must be told before it speaks plain http; nothing where TLS is spoken.
    fn told(self, flag: &str) -> String {
        if self.plain_http { format!(" {flag}") } else { String::new() }
    }
}

/// A name in the registry: what comes after the host, and the tag or digest.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// Where it is.
    pub host: Host<'a>,
    /// The project.
    pub project: &'a str,
    /// The repository inside it.
    pub repository: &'a str,
    /// A tag, if there is one to show.
    pub tag: Option<&'a str>,
    /// The digest.
    pub digest: &'a str,
}

impl Reference<'_> {
    fn path(&self) -> String {
        format!("{}/{}/{}", self.host.name, self.project, self.repository)
    }

    fn full(&self) -> String {
        match self.tag {
            Some(tag) => format!("{}:{tag}", self.path()),
            None => format!("{}@{}", self.path(), self.digest),
        }
    }

    /// The last part of the name, for files that a command writes.
    fn file(&self) -> &str {
        self.repository.rsplit('/').next().unwrap_or(self.repository)
    }
}

fn shell<const N: usize>(client: &'static str, label: &'static str, lines: [String; N]) -> Recipe {
    Recipe { client, label, lines: lines.into(), shell: true }
}

/// How to pull an artifact, by tag where the reference has one. Docker has no option for plain http: its service allows that for this machine,
/// and is told of others in its settings.
pub fn pull(kind: &Kind, reference: Reference<'_>) -> Vec<Recipe> {
    let (name, file, host) = (reference.full(), reference.file(), reference.host);
    let skopeo = shell(
        "skopeo",
        "skopeo",
        [format!("skopeo copy --all{} docker://{name} oci-archive:{file}.tar", host.told("--src-tls-verify=false"))],
    );
    let oras = shell("oras", "ORAS", [format!("oras pull{} {name}", host.told("--plain-http"))]);
    match kind {
        Kind::Image | Kind::Index => vec![
            shell("docker", "Docker", [format!("docker pull {name}")]),
            shell("podman", "Podman", [format!("podman pull{} {name}", host.told("--tls-verify=false"))]),
            shell("nerdctl", "nerdctl", [format!("nerdctl{} pull {name}", host.told("--insecure-registry"))]),
            shell("crane", "crane", [format!("crane pull{} {name} {file}.tar", host.told("--insecure"))]),
            skopeo,
            Recipe { client: "k8s", label: "Kubernetes", lines: vec![pinned(reference)], shell: false },
        ],
        // There is nothing in it to run: its manifest is all there is.
        Kind::EmptyIndex => {
            vec![shell("oras", "ORAS", [format!("oras manifest fetch{} {name}", host.told("--plain-http"))])]
        }
        Kind::Chart => vec![shell("helm", "Helm", [chart(reference)]), oras, skopeo],
        Kind::Other(_) => vec![oras, skopeo],
    }
}

/// Tag for people, digest for the machine: a workload gets what was meant, even after the tag moves.
fn pinned(reference: Reference<'_>) -> String {
    let tag = reference.tag.map(|tag| format!(":{tag}")).unwrap_or_default();
    format!("image: {}{tag}@{}", reference.path(), reference.digest)
}

/// Helm takes the tag as a version, in which `+` is written `_`.
fn chart(reference: Reference<'_>) -> String {
    let plain = reference.host.told("--plain-http");
    match reference.tag {
        Some(tag) => format!("helm pull{plain} oci://{} --version {}", reference.path(), tag.replace('_', "+")),
        None => format!("helm pull{plain} oci://{}@{}", reference.path(), reference.digest),
    }
}

/// How to push to a project, or to one repository of it.
pub fn push(host: Host<'_>, project: &str, repository: Option<&str>) -> Vec<Recipe> {
    let registry = host.name;
    let target = format!("{registry}/{project}/{}", repository.unwrap_or("NAME"));
    let (unverified, plain, insecure) = (host.told("--tls-verify=false"), host.told("--plain-http"), host.told("--insecure-registry"));
    let unverified_target = host.told("--dest-tls-verify=false");
    vec![
        shell(
            "docker",
            "Docker",
            [format!("docker login {registry}"), format!("docker tag IMAGE:TAG {target}:TAG"), format!("docker push {target}:TAG")],
        ),
        shell(
            "podman",
            "Podman",
            [format!("podman login{unverified} {registry}"), format!("podman push{unverified} IMAGE:TAG docker://{target}:TAG")],
        ),
        shell(
            "nerdctl",
            "nerdctl",
            [
                format!("nerdctl{insecure} login {registry}"),
                format!("nerdctl tag IMAGE:TAG {target}:TAG"),
                format!("nerdctl{insecure} push {target}:TAG"),
            ],
        ),
        shell(
            "helm",
            "Helm",
            [format!("helm registry login{plain} {registry}"), format!("helm push{plain} CHART.tgz oci://{registry}/{project}")],
        ),
        shell("oras", "ORAS", [format!("oras login{plain} {registry}"), format!("oras push{plain} {target}:TAG ./FILE")]),
        shell(
            "skopeo",
            "skopeo",
            [
                format!("skopeo login{unverified} {registry}"),
                format!("skopeo copy --all{unverified_target} oci-archive:IMAGE.tar docker://{target}:TAG"),
            ],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:8b53639f152c8fc6ef30802fde462ba0be9cf085f7580dc69efd72e002abbb35";

    fn host(name: &str, plain_http: bool) -> Host<'_> {
        Host { name, plain_http }
    }

    fn line(recipes: &[Recipe], client: &str) -> String {
        recipes.iter().find(|recipe| recipe.client == client).expect(client).lines.join("\n")
    }

    fn reference(tag: Option<&str>) -> Reference<'_> {
        Reference { host: host("r.example:8080", false), project: "library", repository: "services/app", tag, digest: DIGEST }
    }

    #[test]
    fn images_are_pulled_by_tag_or_digest() {
        let by_tag = pull(&Kind::Image, reference(Some("v1")));
        assert_eq!(line(&by_tag, "docker"), "docker pull r.example:8080/library/services/app:v1");
        assert_eq!(line(&by_tag, "k8s"), format!("image: r.example:8080/library/services/app:v1@{DIGEST}"));
        assert!(line(&by_tag, "crane").ends_with("app:v1 app.tar"));
        let by_digest = pull(&Kind::Index, reference(None));
        assert_eq!(line(&by_digest, "podman"), format!("podman pull r.example:8080/library/services/app@{DIGEST}"));
    }

    #[test]
    fn charts_are_for_helm_and_the_rest_for_oras() {
        let chart = pull(&Kind::Chart, reference(Some("1.2.0_build.5")));
        assert_eq!(line(&chart, "helm"), "helm pull oci://r.example:8080/library/services/app --version 1.2.0+build.5");
        assert!(chart.iter().all(|recipe| recipe.client != "docker"));
        let other = pull(&Kind::Other("WASM".into()), reference(None));
        assert_eq!(other.iter().map(|recipe| recipe.client).collect::<Vec<_>>(), ["oras", "skopeo"]);
    }

    #[test]
    fn nothing_is_pulled_from_an_empty_index() {
        let recipes = pull(&Kind::EmptyIndex, reference(Some("v1")));
        let lines: Vec<_> = recipes.iter().flat_map(|recipe| &recipe.lines).collect();
        assert_eq!(lines, ["oras manifest fetch r.example:8080/library/services/app:v1"]);
    }

    #[test]
    fn pushing_names_the_target() {
        let recipes = push(host("r.example", false), "library", None);
        assert!(line(&recipes, "docker").ends_with("docker push r.example/library/NAME:TAG"));
        assert!(line(&recipes, "helm").ends_with("oci://r.example/library"));
        assert!(line(&push(host("r.example", false), "library", Some("app")), "podman").contains("docker://r.example/library/app:TAG"));
    }

    #[test]
    fn clients_are_told_that_the_registry_speaks_plain_http() {
        let reference = Reference { host: host("r.example", true), ..reference(Some("v1")) };
        let image = pull(&Kind::Image, reference);
        assert_eq!(line(&image, "docker"), "docker pull r.example/library/services/app:v1");
        assert_eq!(line(&image, "podman"), "podman pull --tls-verify=false r.example/library/services/app:v1");
        assert!(line(&image, "skopeo").contains("--src-tls-verify=false docker://"));
        assert_eq!(
            line(&pull(&Kind::Chart, reference), "helm"),
            "helm pull --plain-http oci://r.example/library/services/app --version v1"
        );
        let pushed = push(host("r.example", true), "library", None);
        assert!(line(&pushed, "podman").starts_with("podman login --tls-verify=false r.example\npodman push --tls-verify=false "));
        assert!(line(&pushed, "skopeo").contains("--dest-tls-verify=false"));
    }
}
