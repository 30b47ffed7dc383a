from d2l_vgg.cli import main  # For `python -m d2l_vgg`

raise SystemExit(main())
