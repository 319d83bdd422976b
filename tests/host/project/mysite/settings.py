SECRET_KEY = "for the host's tests only"
USE_TZ = True
TIME_ZONE = "Asia/Tokyo"
ROOT_URLCONF = "mysite.urls"
AUTH_USER_MODEL = "uploads.Member"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECURE_SSL_REDIRECT = True

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "django_videoq_billing",
    "uploads",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

VIDEOQ_BILLING = {
    "SITE_URL": "https://videos.example",
    "UPGRADE_URL": "/pricing/",
    "WEBHOOK_PROCESSING": "worker",
    "EMAIL_SENDING": "worker",
}
