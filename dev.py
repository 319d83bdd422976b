#!/usr/bin/env python3
"""Both commands of the README, for any machine with Python 3.11 or newer and its venv and pip modules.

    python3 dev.py demo    install, migrate, start the example site and a local Stripe, make demo users
    python3 dev.py test    install and run every check of the project (tox env "check")

Everything is installed into .venv and .tox inside this clone, and nothing outside it. Standard library only, in
syntax that Python 2.7 can parse, so that an unsupported Python gets a sentence and not a SyntaxError.
"""

from __future__ import print_function

import argparse
import contextlib
import errno
import hashlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

OLDEST, NEWEST = (3, 11), (3, 14)
ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
CHECK_ENV = os.path.join(ROOT, ".tox", "check")
MANAGE = os.path.join(ROOT, "example_project", "manage.py")
LOG = os.path.join(ROOT, ".cache", "dev.log")
STAMP = "dev-installed-%s"  # written last: an environment without it is not finished
UNFINISHED = "dev-unfinished"  # there while pip works: an environment with it is made anew

HOST = "127.0.0.1"
PORT = 8000
SANDBOX_PORT = 12111
SANDBOX_STATE = os.path.join(ROOT, "example_project", "var", "sandbox.json")
TOX = "tox>=4.30,<5"
LEAKY = (
    "DJANGO_SETTINGS_MODULE",
    "PYTHONHOME",
    "PYTHONPATH",
    "PIP_PREFIX",
    "PIP_TARGET",
    "__PYVENV_LAUNCHER__",
)

OFFLINE = (
    "NewConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Max retries exceeded",
    "ProxyError",
    "SSLError",
)
UNAVAILABLE = ("No matching distribution found", "from versions: none")


class Stop(Exception):
    """A foreseeable failure; the text is all that the user needs to read."""


# --- what is said --------------------------------------------------------------------------------------------


def say(text=""):
    print(text)
    sys.stdout.flush()


def show_status(line):
    """Shows what is going on right now on one line of a terminal; logs are spared."""
    if line.endswith("\n") and sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        sys.stdout.write("\r" + line.rstrip()[:width].ljust(width) + "\r")
        sys.stdout.flush()


def unsupported_python(version, command):
    """The sentence for a Python that is too old, or None. The one part that runs on every Python."""
    if tuple(version[:2]) >= OLDEST:
        return None
    return (
        "This is Python %d.%d, and django-videoq-billing needs Python %d.%d or newer.\n"
        "Run the same command with a newer one, for example: python3.%d dev.py %s"
        % (tuple(version[:2]) + OLDEST + (NEWEST[1] - 1, command))
    )


def untested_python(version):
    if tuple(version[:2]) <= NEWEST:
        return None
    return (
        "Note: Python %d.%d is newer than any this project is tested with; %d.%d is the newest of those."
        % (tuple(version[:2]) + NEWEST)
    )


# --- running other programs ----------------------------------------------------------------------------------


def child_environment():
    """The user's environment without what would make pip, tox or Django work elsewhere than in this clone."""
    env = {k: v for k, v in os.environ.items() if k not in LEAKY and not k.startswith(("TOX", "STRIPE_"))}
    env.update(
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PIP_NO_INPUT="1",
        PIP_USER="0",
        PYTHONIOENCODING="utf-8",
        PYTHONUNBUFFERED="1",
        VIRTUALENV_NO_PERIODIC_UPDATE="1",
        VIRTUALENV_OVERRIDE_APP_DATA=os.path.join(ROOT, ".tox", "virtualenv"),
    )
    return env


def start(command, more=None, **options):
    """more is what it finds in its environment besides ours."""
    options.setdefault("stdin", subprocess.DEVNULL)
    env = child_environment()
    env.update(more or {})
    return subprocess.Popen(command, cwd=ROOT, env=env, **options)


@contextlib.contextmanager
def ended_with_us(process):
    """The process does not outlive the block: it may end by itself (Ctrl-C reaches it too), or is made to."""
    try:
        yield process
    finally:
        for insist in (process.poll, process.terminate, process.kill):
            insist()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)


@contextlib.contextmanager
def in_background(command, more):
    """A server until the block ends. In a session of its own: Ctrl-C is ours to hear, and it ends without a stack trace."""
    process = start(command, more, stdout=subprocess.DEVNULL, start_new_session=True)
    with ended_with_us(process):
        try:
            yield process
        finally:
            process.terminate()


def run(command, watch=show_status, more=None):
    """Runs it to its end; returns its exit code and its lines, which are also kept in .cache/dev.log.

    watch is called with the current line each time that it has grown.
    """
    lines, line = [], ""
    with io.open(LOG, "a", encoding="utf-8") as log:
        log.write("\n$ %s\n" % " ".join(command))
        process = start(
            command,
            more,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        with ended_with_us(process):
            for character in iter(lambda: process.stdout.read(1), ""):
                log.write(character)
                line += character
                watch(line)
                if character == "\n":
                    log.flush()
                    lines.append(line.rstrip())
                    line = ""
            code = process.wait()
    show_status("\n")
    return code, lines


def last_words(lines, count=6):
    """The end of what a program said, errors first if it named any."""
    said = [line for line in lines if line.strip()]
    errors = [line for line in said if line.lstrip().lower().startswith(("error", "e:"))]
    return "\n".join("    " + line.strip() for line in (errors or said)[-count:])


# --- the environments ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def only_installer():
    """Two terminals may run dev.py at once; only one of them installs, the other waits."""
    with io.open(os.path.join(ROOT, ".cache", "dev.lock"), "w") as handle:
        if not try_lock(handle):
            say("Another dev.py is installing into this clone; waiting for it ...")
            while not try_lock(handle):
                time.sleep(0.5)
        yield


def try_lock(handle):
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            return False
        raise
    return True


def fingerprint(*more):
    """Changes when what must be installed changes: dependencies, Python, or the place of this clone."""
    import tomllib

    with io.open(os.path.join(ROOT, "pyproject.toml"), "rb") as handle:
        project = tomllib.load(handle)
    parts = [project["build-system"], project["project"], sys.version_info[:2], ROOT, more]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def is_stamped(environment, name, key):
    with contextlib.suppress(OSError), io.open(os.path.join(environment, STAMP % name)) as handle:
        return handle.read() == key
    return False


def write_stamp(environment, name, key):
    with io.open(os.path.join(environment, STAMP % name), "w") as handle:
        handle.write(key)


def ensure_venv():
    """Makes .venv unless a whole one of this Python is there."""
    if venv_is_sound():
        return
    for module in ("venv", "ensurepip"):
        if importlib_find(module) is None:
            raise Stop(
                "This Python has no %s module, so it cannot make an environment of its own for the project.\n"
                "On Debian and Ubuntu install it with: apt install python3-venv\n"
                "Then run the same command again." % module
            )
    if os.path.lexists(VENV):
        say("The .venv here is unfinished, broken or of another Python: making it anew ...")
        remove(VENV)
    else:
        say("Making an environment in .venv ...")
    os.mkdir(VENV)
    mark_unfinished()
    # The Python that runs this may be the one of .venv itself; its base is still there.
    maker = getattr(sys, "_base_executable", None) or sys.executable
    code, lines = run([maker, "-m", "venv", VENV])
    if code:
        raise Stop("Making the environment in .venv failed:\n" + last_words(lines))
    os.remove(os.path.join(VENV, UNFINISHED))


def venv_is_sound():
    if not os.path.exists(PYTHON) or os.path.exists(os.path.join(VENV, UNFINISHED)):
        return False
    question = "import pip, sys; print('%d.%d' % sys.version_info[:2])"
    process = start([PYTHON, "-c", question], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return process.communicate()[0].decode().strip() == "%d.%d" % sys.version_info[:2]


def importlib_find(module):
    import importlib.util

    return importlib.util.find_spec(module)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.remove(path)


def mark_unfinished():
    io.open(os.path.join(VENV, UNFINISHED), "w").close()


def ensure_packages(name, what, options):
    """Installs into .venv what is not there yet. An interrupted pip leaves its mark, and .venv is made anew."""
    key = fingerprint(options)
    if is_stamped(VENV, name, key):
        return
    say("Installing %s into .venv (up to a minute) ..." % what)
    began = time.time()
    mark_unfinished()
    code, lines = run([PYTHON, "-m", "pip", "install", "--progress-bar", "off"] + options)  # noqa: RUF005 - for Python 2.7
    untouched = not any(line.startswith("Installing collected packages") for line in lines)
    if code == 0:
        write_stamp(VENV, name, key)
    if code == 0 or (code > 0 and untouched):
        os.remove(os.path.join(VENV, UNFINISHED))
    if code:
        raise Stop(install_failure(what, lines))
    say("  done in %d s." % (time.time() - began))


def ensure_check_env():
    """Lets tox make the environment of the checks, apart from running them, so that each can fail in its own words."""
    with io.open(os.path.join(ROOT, "tox.ini")) as handle:
        key = fingerprint(handle.read())
    if is_stamped(CHECK_ENV, "check", key):
        return
    say("Installing the tools of the checks into .tox (one or two minutes) ...")
    began = time.time()
    code, lines = run(tox(["--notest", "-vv", "--recreate"]))
    if code:
        raise Stop(install_failure("the tools of the checks", lines))
    write_stamp(CHECK_ENV, "check", key)
    say("  done in %d s." % (time.time() - began))


def tox(options):
    command = [PYTHON, "-m", "tox", "run", "-c", os.path.join(ROOT, "tox.ini"), "-e", "check"]
    return command + options


def install_failure(what, lines):
    said = "\n".join(lines)
    if any(sign in said for sign in OFFLINE) or any(sign in said for sign in UNAVAILABLE):
        advice = (
            "pip could not get a package. Is this machine online? Behind a proxy set HTTPS_PROXY, with a package\n"
            "mirror set PIP_INDEX_URL; then run the same command again."
        )
    elif "No space left" in said:
        advice = "The disk is full. Make room, then run the same command again."
    else:
        advice = "Run the same command again; if it fails in the same place, the log below tells more."
    return "Installing %s failed:\n%s\n%s\nThe whole log: %s" % (what, last_words(lines, 3), advice, LOG)


# --- demo ----------------------------------------------------------------------------------------------------


def demo(arguments):
    options = demo_options(arguments)
    if options.port and not is_free(options.port):
        raise Stop(
            "Port %d is in use by another program. Choose another: python3 dev.py demo --port %d"
            % (options.port, next_free(options.port))
        )
    with only_installer():
        ensure_venv()
        ensure_packages("demo", "the example site", ["-e", ".[demo]"])
    say("Migrating the database ...")
    manage("Migrating the database", ["migrate"], watch=show_migration)
    manage("Making dj-stripe's tables", ["migrate", "--run-syncdb"])  # they refer to those that are migrated
    port = options.port or next_free(PORT)
    if not options.port and port != PORT:
        say("Port %d is in use by another program; taking %d instead." % (PORT, port))
    return serve(port, next_free(SANDBOX_PORT, port), options)


def demo_options(arguments):
    parser = argparse.ArgumentParser(
        prog="dev.py demo", description="Start the example site and a local Stripe on this machine."
    )
    parser.add_argument("--port", type=port_number, help="default: %d, or the next free one" % PORT)
    parser.add_argument("--no-browser-hint", action="store_true", help="do not say what to do in the browser")
    return parser.parse_args(arguments)


def port_number(text):
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535, for example 8001")
    return int(text)


def is_free(port):
    with contextlib.closing(socket.socket()) as probe:
        if os.name != "nt":  # there it would let two programs share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        code = outcome(probe.bind, (HOST, port))
    if code in (errno.EACCES, errno.EPERM):
        raise Stop("Port %d is reserved on this machine. Choose one above 1023: --port 8001" % port)
    return code == 0


def outcome(function, *arguments):
    """The errno it failed with, or 0."""
    try:
        function(*arguments)
    except OSError as error:
        return error.errno
    return 0


def next_free(port, but_not=0):
    for candidate in list(range(port, min(port + 100, 65536))) + list(range(8000, 8100)):
        if candidate != but_not and is_free(candidate):
            return candidate
    raise Stop("No port from %d to %d is free. Choose another with --port." % (port, port + 99))


def manage(what, command, watch=show_status, more=None):
    code, lines = run([PYTHON, MANAGE] + command + ["--no-color"], watch, more)  # noqa: RUF005 - for Python 2.7
    if code:
        advice = "To begin with an empty site, delete example_project/var."
        if os.environ.get("DATABASE_URL"):
            advice = "Is DATABASE_URL right? Without it the site uses a database of its own."
        raise Stop("%s failed:\n%s\nThe whole log: %s\n%s" % (what, last_words(lines), LOG, advice))
    return lines


def show_migration(line):
    begun = "  Applying"
    if line.startswith(begun):
        sys.stdout.write(begun if line == begun else line[-1])
        sys.stdout.flush()


def serve(port, sandbox_port, options):
    """Site, sandbox and jobs, each in a process of its own, until one ends or Ctrl-C ends all."""
    address, stripe = "http://%s:%d/" % (HOST, port), "http://%s:%d" % (HOST, sandbox_port)
    stripe_settings = {
        "STRIPE_API_BASE": stripe,
        "STRIPE_SECRET_KEY": "sk_test_" + "demo" * 6,
        "STRIPE_WEBHOOK_SECRET": "whsec_" + "demo" * 6,
        "SITE_URL": address.rstrip("/"),  # for links in e-mails
    }
    site_command = [PYTHON, MANAGE, "runserver", "--noreload", "%s:%d" % (HOST, port)]
    sandbox_command = [PYTHON, MANAGE, "stripe_sandbox", "--state", SANDBOX_STATE]
    sandbox_command += ["--forward-to", address + "api/billing/webhook/stripe"]
    sandbox_command += ["--webhook-secret", stripe_settings["STRIPE_WEBHOOK_SECRET"]]
    sandbox_command += ["--account-name", "VideoQ", "--host", HOST, "--port", str(sandbox_port)]
    try:
        with in_background(sandbox_command, stripe_settings) as sandbox:  # noqa: SIM117 - for Python 2.7
            with in_background(site_command, stripe_settings) as site:
                wait_for_answer(sandbox, sandbox_port, "/_sandbox/health", "The local Stripe")
                wait_for_answer(site, port, "/", "The site")
                lines = manage("Making the demo users", ["setup_demo"], more=stripe_settings)
                with in_background([PYTHON, MANAGE, "demo_jobs", "--loop"], stripe_settings) as jobs:
                    say(greeting(address, stripe, lines, options))
                    processes = [("site", site), ("local Stripe", sandbox), ("run of the jobs", jobs)]
                    ended, code = first_to_end(processes)
    except KeyboardInterrupt:
        say("\nStopped. `python3 dev.py demo` starts it again, with all that was uploaded and paid.")
        return 0
    raise Stop("The %s ended by itself with exit code %d." % (ended, code))


def first_to_end(processes):
    """Its name and its exit code."""
    while True:
        for name, process in processes:
            if process.poll() is not None:
                return name, process.poll()
        time.sleep(0.2)


def greeting(address, stripe, lines, options):
    log_ins = [line for line in lines if line.startswith("  ")] or lines
    text = "\nThe example site runs at %s (Ctrl-C stops it). Users and their passwords:\n\n" % address
    text += "\n".join(log_ins)
    text += "\n\nPayments go to a local Stripe beside it; no money moves. Pay with the test card 4242 4242 4242 4242,"
    text += (
        "\nany date to come and any CVC. Its console shows what happens there and can advance the time, which"
    )
    text += "\nthe site then follows, with its e-mails and all that happens by itself: %s/_sandbox/" % stripe
    if not options.no_browser_hint:
        text += "\n\nLog in as one of them or sign up, upload the files of example_project/samples, watch the usage"
        text += (
            "\ngrow, be refused at the limit, and choose a larger plan. The admin is at %sadmin/; fill it with a"
            % address
        )
        text += "\nmade-up year of 300 customers (--remove takes them out again):"
        text += "\n    %s %s demo_data" % (os.path.relpath(PYTHON, ROOT), os.path.relpath(MANAGE, ROOT))
    return text


def wait_for_answer(server, port, path, name, seconds=90):
    import http.client

    deadline = time.time() + seconds
    while time.time() < deadline and server.poll() is None:
        connection = http.client.HTTPConnection(HOST, port, timeout=30)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            if response.status < 500:
                return
            raise Stop("%s runs, but its first page is an error; what is wrong stands above." % name)
        time.sleep(0.2)
    raise Stop("%s did not start; what is wrong stands above." % name)


# --- test ----------------------------------------------------------------------------------------------------


def test(arguments):
    with only_installer():
        ensure_venv()
        ensure_packages("tox", "tox, which runs the checks,", [TOX])
        ensure_check_env()
    with ended_with_us(start(tox(["-qq", "--skip-pkg-install", "--"]) + arguments)) as process:
        return process.wait()


# --- the way in ----------------------------------------------------------------------------------------------

HELP = """usage: python3 dev.py COMMAND

  demo [--port PORT]      install, migrate, start the example site and a local Stripe
                          (.venv/bin/python example_project/manage.py demo_data fills it with a made-up year)
  test [PYTEST ARGS ...]  install and run every check; with arguments, pytest alone with those

Both install into .venv and .tox inside this clone, and nothing outside it. A second run starts in seconds."""


def main(arguments):
    complaint = unsupported_python(sys.version_info, " ".join(arguments) or "demo")
    if complaint:
        return fail(complaint)
    sys.stdout.reconfigure(errors="replace")
    commands = {"demo": demo, "test": test}
    if not arguments or arguments[0] not in commands:
        say(HELP)
        return 0 if not arguments or arguments[0] in ("-h", "--help", "help") else 2
    if arguments[1:] in (["-h"], ["--help"]) and arguments[0] == "test":
        say(HELP)
        return 0
    if untested_python(sys.version_info):
        say(untested_python(sys.version_info))
    return guarded(commands[arguments[0]], arguments[1:])


def guarded(command, arguments):
    """Turns what can be foreseen into a sentence."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # also when a shell started us in its background
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    try:
        if not os.path.isdir(os.path.dirname(LOG)):
            os.makedirs(os.path.dirname(LOG))
        return command(arguments)
    except Stop as problem:
        return fail(str(problem))
    except OSError as error:
        return fail(
            "%s: %s\nThe project needs to write into its own folder, %s, with some 600 MB of room."
            % (error.strerror or "Error", error.filename or "unnamed file", ROOT)
        )
    except KeyboardInterrupt:
        return fail("\nInterrupted. The same command repairs what was left half-way.", 130)


def fail(text, code=1):
    sys.stdout.flush()
    sys.stderr.write(text + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
