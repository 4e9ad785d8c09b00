//! The commands that pull from and push to a repository, per client. Only clients that can do it are listed. Pages show them, nothing runs them.

use super::Kind;
use crate::kit::Recipe;

/// A name in the registry: what comes after the host, and the tag or digest.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// Host, and port unless it is the usual one.
    pub registry: &'a str,
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
        format!("{}/{}/{}", self.registry, self.project, self.repository)
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

/// How to pull an artifact, by tag where the reference has one.
pub fn pull(kind: &Kind, reference: Reference<'_>) -> Vec<Recipe> {
    let (name, file) = (reference.full(), reference.file());
    let skopeo = shell("skopeo", "skopeo", [format!("skopeo copy --all docker://{name} oci-archive:{file}.tar")]);
    let oras = shell("oras", "ORAS", [format!("oras pull {name}")]);
    match kind {
        Kind::Image | Kind::Index => vec![
            shell("docker", "Docker", [format!("docker pull {name}")]),
            shell("podman", "Podman", [format!("podman pull {name}")]),
            shell("nerdctl", "nerdctl", [format!("nerdctl pull {name}")]),
            shell("crane", "crane", [format!("crane pull {name} {file}.tar")]),
            skopeo,
            Recipe { client: "k8s", label: "Kubernetes", lines: vec![pinned(reference)], shell: false },
        ],
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
    match reference.tag {
        Some(tag) => format!("helm pull oci://{} --version {}", reference.path(), tag.replace('_', "+")),
        None => format!("helm pull oci://{}@{}", reference.path(), reference.digest),
    }
}

/// How to push to a project, or to one repository of it.
pub fn push(registry: &str, project: &str, repository: Option<&str>) -> Vec<Recipe> {
    let target = format!("{registry}/{project}/{}", repository.unwrap_or("NAME"));
    let login = |client: &str| format!("{client} login {registry}");
    vec![
        shell("docker", "Docker", [login("docker"), format!("docker tag IMAGE:TAG {target}:TAG"), format!("docker push {target}:TAG")]),
        shell("podman", "Podman", [login("podman"), format!("podman push IMAGE:TAG docker://{target}:TAG")]),
        shell(
            "nerdctl",
            "nerdctl",
            [login("nerdctl"), format!("nerdctl tag IMAGE:TAG {target}:TAG"), format!("nerdctl push {target}:TAG")],
        ),
        shell("helm", "Helm", [format!("helm registry login {registry}"), format!("helm push CHART.tgz oci://{registry}/{project}")]),
        shell("oras", "ORAS", [login("oras"), format!("oras push {target}:TAG ./FILE")]),
        shell("skopeo", "skopeo", [login("skopeo"), format!("skopeo copy --all oci-archive:IMAGE.tar docker://{target}:TAG")]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:8b53639f152c8fc6ef30802fde462ba0be9cf085f7580dc69efd72e002abbb35";

    fn line(recipes: &[Recipe], client: &str) -> String {
        recipes.iter().find(|recipe| recipe.client == client).expect(client).lines.join("\n")
    }

    fn reference(tag: Option<&str>) -> Reference<'_> {
        Reference { registry: "r.example:8080", project: "library", repository: "services/app", tag, digest: DIGEST }
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
    fn pushing_names_the_target() {
        let recipes = push("r.example", "library", None);
        assert!(line(&recipes, "docker").ends_with("docker push r.example/library/NAME:TAG"));
        assert!(line(&recipes, "helm").ends_with("oci://r.example/library"));
        assert!(line(&push("r.example", "library", Some("app")), "podman").contains("docker://r.example/library/app:TAG"));
    }
}
