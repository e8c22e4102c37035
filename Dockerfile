FROM python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
WORKDIR /srv/crm

COPY requirements.txt ./
RUN pip install --require-hashes --only-binary :all: -r requirements.txt

COPY . .
# Front-end files, translations and collected static files. Collecting loads the settings, which insist on keys: these
# live for this one layer and encrypt nothing.
RUN export CRM_KEY_FILE=/tmp/build-keys.json \
    && python -c "from pathlib import Path; from crm.keys import draw_keys; draw_keys(Path('$CRM_KEY_FILE'))" \
    && python -m crm.local.install \
    && rm -rf "$CRM_KEY_FILE" .local/npm .local/assets/tests /root/.npm

# The number is told to whoever mounts the key file, so it is fixed.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin crm \
    && install -d -o crm -g crm -m 0700 /data
USER 10001
EXPOSE 8000
CMD ["gunicorn", "crm.wsgi", "--bind", "0.0.0.0:8000", "--workers", "4", "--threads", "4", "--no-control-socket"]
