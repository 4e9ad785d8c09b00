//! The style sheet: every `@import` of `style/main.css` in one minified file.
//! Only `site` calls it; no other tool is in the style's way.

use anyhow::{Context as _, Result, anyhow};
use lightningcss::bundler::{Bundler, FileProvider};
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, PrinterOptions};
use lightningcss::targets::{Browsers, Targets};
use std::path::Path;

/// The oldest browsers whose syntax is kept as written: all of them know nesting, `@layer` and `light-dark()`.
fn targets() -> Targets {
    let version = |major: u32, minor: u32| Some(major << 16 | minor << 8);
    Targets::from(Browsers {
        chrome: version(125, 0),
        edge: version(125, 0),
        firefox: version(128, 0),
        safari: version(17, 5),
        ios_saf: version(17, 5),
        ..Browsers::default()
    })
}

/// Bundles and minifies a style sheet; errors name file, line and column.
pub fn bundle(main: &Path) -> Result<String> {
    let files = FileProvider::new();
    let mut bundler = Bundler::new(&files, None, ParserOptions::default());
    let mut sheet = bundler.bundle(main).map_err(|error| anyhow!("{error}")).with_context(|| main.display().to_string())?;
    let targets = targets();
    sheet.minify(MinifyOptions { targets, ..MinifyOptions::default() }).map_err(|error| anyhow!("{error}"))?;
    let printed = sheet.to_css(PrinterOptions { minify: true, targets, ..PrinterOptions::default() });
    Ok(printed.map_err(|error| anyhow!("{error}"))?.code)
}

#[cfg(test)]
mod tests {
    use std::fs;

    #[test]
    fn imports_are_bundled_and_modern_syntax_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("kit")).unwrap();
        fs::write(dir.path().join("main.css"), "@layer base, kit;\n@import \"kit/card.css\" layer(kit);\n").unwrap();
        fs::write(dir.path().join("kit/card.css"), ".card {\n  color: light-dark(#111, #eee);\n  & > p { margin: 0 }\n}\n").unwrap();
        let css = super::bundle(&dir.path().join("main.css")).unwrap();
        assert!(!css.contains("@import"), "{css}");
        assert!(css.contains("light-dark(#111,#eee)"), "{css}");
        assert!(css.contains("& >") || css.contains("&>"), "{css}");
    }

    #[test]
    fn a_missing_import_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("main.css"), "@import \"nowhere.css\";").unwrap();
        assert!(super::bundle(&dir.path().join("main.css")).is_err());
    }
}
