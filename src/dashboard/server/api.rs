//! The API's answers: each is made of a copy or under a short lock, and serialized outside of it.

use std::sync::Arc;

use axum::{
    extract::{
        FromRequestParts, Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    App,
    problem::Problem,
    query::{FilterQuery, NoQuery, OrganizationsQuery, VerdictsQuery},
    stream,
};
use crate::{
    count::bounded::Tally as _,
    dashboard::{answers, board::told::Place, now},
};

/// A query string, read strictly.
pub(super) struct Strict<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Strict<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let refused = |rejection: QueryRejection| Problem::new(StatusCode::BAD_REQUEST, rejection.body_text());
        Query::from_request_parts(parts, state).await.map(|Query(query)| Self(query)).map_err(refused)
    }
}

/// What a path names, refused in the words of a problem, too.
pub(super) struct Named<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let refused = |rejection: PathRejection| Problem::new(rejection.status(), rejection.body_text());
        Path::from_request_parts(parts, state).await.map(|Path(named)| Self(named)).map_err(refused)
    }
}

type Answer = Result<Response, Problem>;

fn json(answer: &impl Serialize) -> Answer {
    let body = serde_json::to_string(answer).map_err(|_| {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the answer can't be written: a bug in attrsync")
    })?;
    Ok(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], body).into_response())
}

pub(super) async fn overview(State(app): State<Arc<App>>, _: Strict<NoQuery>) -> Answer {
    let around = app.shared.around();
    let answer = answers::overview(&app.shared.board(), &around, now());
    json(&answer)
}

pub(super) async fn reasons(State(app): State<Arc<App>>, _: Strict<NoQuery>) -> Answer {
    let reading = app.shared.reading();
    let answer = answers::reasons(&app.shared.board(), reading, now());
    json(&answer)
}

pub(super) async fn organizations(State(app): State<Arc<App>>, Strict(query): Strict<OrganizationsQuery>) -> Answer {
    let (limit, reading) = (query.limit()?, app.shared.reading());
    let answer = answers::organizations(&app.shared.board(), reading, (&query.search, limit), now());
    json(&answer)
}

pub(super) async fn organization(
    State(app): State<Arc<App>>,
    Named(slug): Named<String>,
    _: Strict<NoQuery>,
) -> Answer {
    let reading = app.shared.reading();
    let board = app.shared.board();
    let answer = answers::organization(&board, reading, &slug, now());
    let others = board.organizations.rest().weight() > 0;
    drop(board);
    let unknown = if others {
        "this organization is not told apart: no verdict of it was read, or it is counted with the others beyond dashboard.organizations; \
            slugs are compared exactly"
    } else {
        "no verdict of this organization was read; slugs are compared exactly"
    };
    json(&answer.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, unknown))?)
}

pub(super) async fn verdicts(State(app): State<Arc<App>>, Strict(query): Strict<VerdictsQuery>) -> Answer {
    let (limit, before, filter) = (query.limit()?, query.before()?, query.filter()?);
    let reading = app.shared.reading();
    let newest = app.shared.board().newest.all();
    json(&answers::verdicts(&newest, reading, (&filter, before, limit), now()))
}

pub(super) async fn verdict(
    State(app): State<Arc<App>>,
    Named((topic, partition, offset)): Named<(String, String, String)>,
    _: Strict<NoQuery>,
) -> Answer {
    let malformed =
        || Problem::new(StatusCode::BAD_REQUEST, "a place is a topic, a partition and an offset: verdicts/events/0/12");
    let partition = partition.parse().map_err(|_| malformed())?;
    let offset = offset.parse().map_err(|_| malformed())?;
    let place = Place { topic: topic.into(), partition, offset };
    let kept = app.shared.board().newest.of_event(&place);
    let gone =
        "no verdict of this event is kept: only the newest are (dashboard.verdicts), older ones stand in their topics";
    let kept = kept.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, gone))?;
    let unreadable =
        |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the verdict can't be read: a bug in attrsync");
    json(&answers::verdict(&kept, &app.brokers).map_err(unreadable)?)
}

pub(super) async fn verdicts_stream(State(app): State<Arc<App>>, Strict(query): Strict<FilterQuery>) -> Answer {
    stream::subscribe(&app, query.filter()?)
}

/// Says how a session begins.
pub(super) async fn no_session() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "POST exchanges the token for a cookie: Authorization: Bearer …")
}

/// Exchanges the token for a cookie. A cookie gets none: whoever has found one would have a new one for ever.
pub(super) async fn session(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let Some(token) = &app.token else { return StatusCode::NO_CONTENT.into_response() };
    if token.is_shown(&headers) != Some(true) {
        return Problem::unknown().into_response();
    }
    let secure = headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https");
    (StatusCode::NO_CONTENT, [(SET_COOKIE, token.cookie(now() / 1_000, secure))]).into_response()
}
