#!/bin/sh
# Starts or resumes Claude Code for one session: echokit's start-command contract.
#
#   CLAUDE_SESSION_ID        the session's UUID (required); also Claude Code's own session id
#   ECHOKIT_WORKING_PATH     sessions' directories are made in it     [$HOME/echokit_cc_sessions]
#   ROOKERY_WORKSPACE        work in this directory instead of $ECHOKIT_WORKING_PATH/$CLAUDE_SESSION_ID
#   CLAUDE_CONFIG_DIR        Claude Code's configuration directory    [$HOME/.claude]
#   ROOKERY_PERMISSION_MODE  passed as --permission-mode              [Claude Code's own default]
#   ROOKERY_MODEL            passed as --model                        [Claude Code's own default]
#   ROOKERY_FORK_OF          begin with the conversation of the session of this UUID, which stays as it is
#
# The first line printed is the path of the conversation's transcript. Arguments go to claude.
# Exit status: claude's; 2 for a bad session id; 127 when claude is not installed; 1 for a directory that fails.

set -u

fail() {
    status=$1
    shift
    printf 'run_cc.sh: %s\n' "$*" >&2
    exit "$status"
}

id=${CLAUDE_SESSION_ID-}
[ -n "$id" ] || fail 2 'CLAUDE_SESSION_ID is not set: give it the UUID of the session to start or resume'
h='[0-9A-Fa-f]'
h4=$h$h$h$h
check_id() {
    case $2 in
        $h4$h4-$h4-$h4-$h4-$h4$h4$h4) ;;
        *) fail 2 "$1 is '$2', which is not a UUID such as 123e4567-e89b-42d3-a456-426614174000" ;;
    esac
}
check_id CLAUDE_SESSION_ID "$id"
id=$(printf '%s' "$id" | tr 'A-F' 'a-f')
fork=$(printf '%s' "${ROOKERY_FORK_OF-}" | tr 'A-F' 'a-f')
[ -z "$fork" ] || check_id ROOKERY_FORK_OF "$fork"

if [ -n "${ROOKERY_WORKSPACE-}" ]; then
    workspace=$ROOKERY_WORKSPACE
else
    workspace=${ECHOKIT_WORKING_PATH:-${HOME:?}/echokit_cc_sessions}/$id
fi
mkdir -p -- "$workspace" || fail 1 "cannot make the working directory $workspace"
CDPATH='' cd -P -- "$workspace" || fail 1 "cannot enter the working directory $workspace"
workspace=$(pwd -P) || fail 1 'cannot tell the working directory'

# Claude Code names a project after the physical path, with '-' for each UTF-16 unit that is not an ASCII letter or
# digit: one for a UTF-8 sequence of two or three bytes, two for one of four bytes.
projects=${CLAUDE_CONFIG_DIR:-${HOME:?}/.claude}/projects
four_bytes=$(printf '[\360-\367][\200-\277]\\{3\\}')
more_bytes=$(printf '[\300-\357][\200-\277]\\{1,2\\}')
slug=$(printf '%s' "$workspace" | LC_ALL=C sed "s/$four_bytes/--/g; s/$more_bytes/-/g; s/[^A-Za-z0-9]/-/g")
transcript=$projects/$slug/$id.jsonl
mkdir -p -- "$projects/$slug" || fail 1 "cannot make $projects/$slug"

# Claude Code writes some lines of its own before the first message. Killed in between, it leaves a file that it can
# neither resume nor start anew.
has_conversation() {
    [ -s "$1" ] && grep -q -e '"type":"user"' -e '"type":"assistant"' -- "$1"
}

# A workspace that moved: Claude Code goes on in the file that has the conversation, wherever it is.
if ! has_conversation "$transcript"; then
    for other in "$projects"/*/"$id.jsonl"; do
        if has_conversation "$other"; then
            transcript=$other
            break
        fi
    done
fi

command -v claude >/dev/null 2>&1 ||
    fail 127 'claude is not on PATH: install Claude Code, or name another start command with --claude-command'

printf '%s\n' "$transcript"
if has_conversation "$transcript"; then
    printf 'Resuming session: %s\n' "$id"
    set -- --resume "$id" "$@"
else
    # Claude Code refuses a new session whose file exists, even an empty one. Nothing is thrown away.
    if [ -s "$transcript" ]; then mv -f -- "$transcript" "$transcript.unfinished"; fi
    rm -f -- "$transcript"
    set -- --session-id "$id" "$@"
    origin=
    if [ -n "$fork" ]; then
        for other in "$projects"/*/"$fork.jsonl"; do
            if has_conversation "$other"; then origin=$other; fi
        done
    fi
    if [ -n "$origin" ]; then
        printf 'Forking session: %s from %s\n' "$id" "$fork"
        set -- --resume "$fork" --fork-session "$@"
    else
        printf 'Starting new session: %s\n' "$id"
    fi
fi
[ -z "${ROOKERY_MODEL-}" ] || set -- --model "$ROOKERY_MODEL" "$@"
[ -z "${ROOKERY_PERMISSION_MODE-}" ] || set -- --permission-mode "$ROOKERY_PERMISSION_MODE" "$@"
exec claude "$@"
