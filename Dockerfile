# The portal and its jobs as one image; the database is yours, named by DATABASE_URL.
#
#   docker build -t clinic .
#   docker run --env-file .env clinic python -m db.migrate                     before the others start
#   docker run --env-file .env -p 8501:8501 clinic                             the portal
#   docker run --env-file .env --no-healthcheck clinic python -m jobs          the jobs process
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1
WORKDIR /srv/clinic

COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
COPY . .
RUN python -m compileall -q . && useradd --system --create-home clinic

USER clinic
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8501/healthz', timeout=4)"]
CMD ["streamlit", "run", "server.py", "--server.address", "0.0.0.0", "--server.port", "8501", "--server.headless", "true"]
