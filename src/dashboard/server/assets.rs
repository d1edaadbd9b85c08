//! The page: everything that a browser loads, embedded in the binary. It holds nothing that a reader would need a token for.

use axum::{
    Router,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    routing::get,
};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! assets {
    ($($path:literal $kind:ident $file:literal)*) => {
        /// Path, kind and content of each file.
        const ASSETS: &[(&str, &str, &str)] = &[$(($path, $kind, include_str!(concat!("../page/", $file))),)*];
    };
}

assets! {
    "/" HTML "index.html"
    "/assets/page.css" CSS "page.css"
    "/assets/icon.svg" SVG "icon.svg"
    "/assets/main.js" SCRIPT "main.js"
    "/assets/api.js" SCRIPT "api.js"
    "/assets/charts.js" SCRIPT "charts.js"
    "/assets/dom.js" SCRIPT "dom.js"
    "/assets/format.js" SCRIPT "format.js"
    "/assets/parts.js" SCRIPT "parts.js"
    "/assets/views/organization.js" SCRIPT "views/organization.js"
    "/assets/views/organizations.js" SCRIPT "views/organizations.js"
    "/assets/views/overview.js" SCRIPT "views/overview.js"
    "/assets/views/rejections.js" SCRIPT "views/rejections.js"
    "/assets/views/verdict.js" SCRIPT "views/verdict.js"
    "/assets/views/verdicts.js" SCRIPT "views/verdicts.js"
    "/assets/vendor/uPlot.esm.js" SCRIPT "vendor/uPlot.esm.js"
    "/assets/vendor/uPlot.min.css" CSS "vendor/uPlot.min.css"
}

/// Routes to all of them. They may change with the binary, so that a browser asks each time.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ASSETS.iter().fold(Router::new(), |router, (path, kind, content)| {
        router.route(path, get(move || async move { ([(CONTENT_TYPE, *kind), (CACHE_CONTROL, "no-cache")], *content) }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_nothing_elsewhere_and_runs_nothing_inline() {
        let own = ASSETS.iter().filter(|(path, ..)| !path.contains("/vendor/"));
        for (path, _, content) in own {
            for elsewhere in [
                "https://",
                "//cdn",
                "@import",
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
            ] {
                assert!(!content.contains(elsewhere), "{path} holds {elsewhere}");
            }
            let namespace = content.replace("http://www.w3.org/2000/svg", "");
            assert!(!namespace.contains("http://"), "{path} names a host");
        }
        let (_, _, html) = ASSETS[0];
        let handler = |word: &str| word.starts_with("on") && word.contains('=');
        assert!(!html.contains("<style") && !html.contains("style=") && !html.split_whitespace().any(handler));
        assert!(html.matches("<script").count() == html.matches("<script type=\"module\" src=\"/assets/").count());
    }
}
