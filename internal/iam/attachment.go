package iam

import "github.com/gatehouse-iam/gatehouse/internal/service"

func registerAttachments(*service.Registry, *Service) {}
